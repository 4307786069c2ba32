"""confluent-kafka (librdkafka) in a run of chaos: an idempotent producer with records in flight, an assigned reader, a member of a group, and a scan."""
import json
import sys
import threading

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

command, bootstrap, topic, partitions, name, settings, last = sys.argv[1:]
partitions = int(partitions)
patient = settings == 'patient'
common = {'bootstrap.servers': bootstrap, 'client.id': name}
if patient:
    common.update({'reconnect.backoff.ms': 50, 'reconnect.backoff.max.ms': 500, 'socket.timeout.ms': 10000})
printing = threading.Lock()
stopped = threading.Event()
ended = threading.Event()


def emit(**line):
    with printing:
        print(json.dumps(line), flush=True)


def read_input():
    for _ in sys.stdin:
        stopped.set()
    stopped.set()
    ended.set()


def value_of(number, partition):
    """As valueOf in history.ts."""
    head = '%s/%d/%d/' % (name, number, partition)
    return head + head * (number % 7)


def a_producer():
    # When a message times out, librdkafka takes the next epoch and sends what is under way again, which may be stored already: here none does.
    more = {'linger.ms': 2, 'message.timeout.ms': 900000, 'retry.backoff.ms': 50} if patient else {}
    return Producer({**common, 'enable.idempotence': True, **more})


def produce():
    state = {'failed': False}

    def report(partition, value):
        def on_delivery(error, message):
            if error is None:
                emit(f='sent', partition=partition, value=value, offset=message.offset())
            else:
                state['failed'] = True
                emit(f='unknown', partition=partition, value=value, error=str(error))

        return on_delivery

    producer = a_producer()
    number = 0
    while not stopped.is_set():
        if state['failed']:
            # After a fatal error the producer accepts nothing more; what it still has in flight gets an outcome.
            producer.flush(60)
            producer = a_producer()
            state['failed'] = False
        if len(producer) < 100:
            partition = number % partitions
            value = value_of(number, partition)
            emit(f='send', partition=partition, value=value)
            try:
                producer.produce(topic, value=value, partition=partition, on_delivery=report(partition, value))
            except KafkaException as error:
                state['failed'] = True
                emit(f='unknown', partition=partition, value=value, error=str(error))
            number += 1
        producer.poll(float(last) / 1000)
    producer.flush(140)
    emit(f='done')


def polled(reader, messages):
    for message in messages:
        if message.error() is not None and message.error().code() not in (KafkaError._PARTITION_EOF,):
            emit(f='error', text='%s: %s' % (reader, message.error()))
    records = [[m.partition(), m.offset(), m.value().decode()] for m in messages if m.error() is None]
    if records:
        emit(f='polled', reader=reader, records=records)
    return records


def assigned(more):
    consumer = Consumer({**common, 'group.id': 'unused', 'enable.auto.commit': False, 'auto.offset.reset': 'error', 'fetch.wait.max.ms': 200, **more})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    return consumer


def read_assigned():
    # Agents have racks of their names: this reader is sent to that agent, and away from it when it is gone.
    consumer = assigned({'client.rack': 'green'} if patient else {})
    while not ended.is_set():
        polled(name + ' reader', consumer.consume(200, 0.2))
    consumer.close()


def read_group():
    group = name + '-group'
    own = {'enable.auto.commit': False, 'session.timeout.ms': 10000, 'heartbeat.interval.ms': 1000, 'fetch.wait.max.ms': 200} if patient else {'auto.commit.interval.ms': 500}
    consumer = Consumer({**common, 'group.id': group, 'auto.offset.reset': 'earliest', **own})
    consumer.subscribe([topic], on_assign=lambda *_: emit(f='joined', reader=name + ' member'))
    while not ended.is_set():
        records = polled(name + ' member', consumer.consume(200, 0.2))
        if not records or not patient:
            continue
        ends = {partition: offset + 1 for partition, offset, _ in records}
        try:
            done = consumer.commit(offsets=[TopicPartition(topic, partition, end) for partition, end in ends.items()], asynchronous=False)
            emit(f='committed', group=group, offsets=[[each.partition, each.offset] for each in done if each.error is None])
        except KafkaException as error:
            emit(f='error', text='%s cannot commit: %s' % (name, error))
    consumer.close()


def scan():
    ends = dict(map(int, pair.split(':')) for pair in last.split(','))
    consumer = assigned({})
    positions = {}
    while any(positions.get(partition, 0) < end for partition, end in ends.items()):
        for partition, offset, _ in polled(name + ' scan', consumer.consume(500, 1)):
            positions[partition] = offset + 1
    consumer.close()


if command == 'scan':
    scan()
else:
    threading.Thread(target=read_input, daemon=True).start()
    threads = [threading.Thread(target=read_assigned), threading.Thread(target=read_group)]
    for thread in threads:
        thread.start()
    produce()
    for thread in threads:
        thread.join()
