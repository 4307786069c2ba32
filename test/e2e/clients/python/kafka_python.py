"""kafka-python as the tests drive it."""
from collections import deque

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.structs import OffsetAndMetadata

from command import arguments, emit, input_ended, record, text, version_of


def common(options):
    return {'bootstrap_servers': options.bootstrap, 'reconnect_backoff_ms': 20, 'reconnect_backoff_max_ms': 200}


def report(sent, value):
    placed = sent.get(90)
    emit(partition=placed.partition, offset=placed.offset, value=text(value))


def produce(options):
    codec = None if options.codec == 'none' else options.codec
    producer = KafkaProducer(**common(options), compression_type=codec, enable_idempotence=options.idempotent == 'true', linger_ms=5)
    sent = []
    for number in range(options.count):
        partition, key, value, header = record(number)
        sent.append((producer.send(options.topic, value, key, [('h', header)], partition), value))
    for future, value in sent:
        report(future, value)
    producer.close()


def consume(options):
    consumer = KafkaConsumer(**common(options), auto_offset_reset='earliest', enable_auto_commit=False, consumer_timeout_ms=60000)
    consumer.assign([TopicPartition(options.topic, partition) for partition in consumer.partitions_for_topic(options.topic)])
    for _ in range(options.count):
        found = next(consumer)
        header = dict(found.headers).get('h')
        emit(partition=found.partition, offset=found.offset, key=text(found.key), value=text(found.value), header=text(header))
    consumer.close()


def group(options):
    ended = input_ended()
    consumer = KafkaConsumer(
        options.topic, **common(options), group_id=options.group, auto_offset_reset='earliest', auto_commit_interval_ms=100, heartbeat_interval_ms=500
    )
    while not ended.is_set():
        for records in consumer.poll(timeout_ms=100).values():
            for found in records:
                emit(partition=found.partition, offset=found.offset, value=text(found.value))
    consumer.close()


def loop(options):
    ended = input_ended()
    producer = KafkaProducer(**common(options), enable_idempotence=True, linger_ms=2, batch_size=300, retry_backoff_ms=20, delivery_timeout_ms=90000)
    sent, number = deque(), 0
    while sent or not ended.is_set():
        while len(sent) < 200 and not ended.is_set():
            value = b'record %d' % number
            sent.append((producer.send(options.topic, value, partition=number % 3), value))
            number += 1
        report(*sent.popleft())
    producer.close()


def admin(options):
    topic, group_id, client = options.topic, options.group, KafkaAdminClient(**common(options))
    first = TopicPartition(options.read, 0)
    client.create_topics({topic: {'num_partitions': 3, 'replication_factor': 1, 'configs': {'max.message.bytes': '123456'}}})
    emit(step='create')
    emit(step='list', found=topic in client.list_topics())
    client.create_partitions({topic: 4})
    emit(step='grow', partitions=len(client.describe_topics([topic])[0]['partitions']))

    def limit():
        return client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])['topic'][topic]['max.message.bytes']['value']

    emit(step='configs', value=limit())
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={'max.message.bytes': '234567'})])
    emit(step='change configs', value=limit())
    emit(step='cluster', nodes=len(client.describe_cluster()['brokers']))
    emit(step='groups', found=group_id in [each['group_id'] for each in client.list_groups()])
    emit(step='group', state=client.describe_groups([group_id])[group_id]['group_state'].upper())
    committed = client.list_group_offsets(group_id)[group_id]
    emit(step='committed', offsets=sorted([each.partition, committed[each].offset] for each in committed))
    emit(step='end', offset=client.list_partition_offsets({first: OffsetSpec.LATEST})[first].offset)
    client.delete_records({first: 1})
    emit(step='delete records', start=client.list_partition_offsets({first: OffsetSpec.EARLIEST})[first].offset)
    client.alter_group_offsets(group_id, {first: OffsetAndMetadata(1, '', -1)})
    emit(step='altered', offset=client.list_group_offsets({group_id: [first]})[group_id][first].offset)
    client.delete_groups([group_id])
    emit(step='delete group', found=group_id in [each['group_id'] for each in client.list_groups()])
    client.delete_topics([topic])
    emit(step='delete', found=topic in client.list_topics())
    client.close()


def version(options):
    emit(version=version_of('kafka-python'))


options = arguments()
{'version': version, 'produce': produce, 'consume': consume, 'group': group, 'loop': loop, 'admin': admin}[options.command](options)
