"""Copies the topic `source` to another with confluent-kafka, exactly once: in transactions with the offsets. It exits at any error, and begins again where the last transaction ended."""
import sys

from confluent_kafka import Consumer, Producer

bootstrap, group, target, size, abort_each = sys.argv[1:]
common = {'bootstrap.servers': bootstrap, 'reconnect.backoff.ms': 20, 'reconnect.backoff.max.ms': 200, 'retry.backoff.ms': 20}
producer = Producer({**common, 'transactional.id': group, 'transaction.timeout.ms': 60000})
producer.init_transactions(60)
consumer = Consumer({
    **common,
    'group.id': group,
    'group.instance.id': group,
    'session.timeout.ms': 6000,
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': False,
    'isolation.level': 'read_committed',
})
consumer.subscribe(['source'])
transactions = 0
while True:
    messages = consumer.consume(int(size), 0.5)
    if not messages:
        continue
    producer.begin_transaction()
    for message in messages:
        if message.error() is not None:
            sys.exit(str(message.error()))
        producer.produce(target, value=message.value(), partition=message.partition())
    # Some transactions are aborted, and their records are read again.
    producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
    transactions += 1
    if transactions % int(abort_each) == 0:
        producer.abort_transaction(60)
        sys.exit('aborted: begin again')
    producer.commit_transaction(60)
