"""confluent-kafka (librdkafka) as the tests drive it."""
import sys

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition, libversion
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from command import arguments, emit, input_ended, record, text, version_of


def common(options):
    # After a restart of the server it connects again within tenths of a second.
    return {'bootstrap.servers': options.bootstrap, 'reconnect.backoff.ms': 20, 'reconnect.backoff.max.ms': 200, 'retry.backoff.ms': 20}


def report(error, message):
    if error is not None:
        raise KafkaException(error)
    emit(partition=message.partition(), offset=message.offset(), value=text(message.value()))


def produce(options):
    producer = Producer({**common(options), 'compression.type': options.codec, 'enable.idempotence': options.idempotent == 'true', 'linger.ms': 5})
    for number in range(options.count):
        partition, key, value, header = record(number)
        producer.produce(options.topic, value=value, key=key, headers={'h': header}, partition=partition, on_delivery=report)
    left = producer.flush(60)
    if left:
        sys.exit('%d records were not acknowledged' % left)


def consume(options):
    consumer = Consumer({**common(options), 'group.id': 'unused', 'enable.auto.commit': False})
    partitions = consumer.list_topics(options.topic, timeout=30).topics[options.topic].partitions
    consumer.assign([TopicPartition(options.topic, partition, 0) for partition in partitions])
    for _ in range(options.count):
        message = consumer.poll(60)
        if message is None:
            sys.exit('no record for 60 s')
        if message.error() is not None:
            raise KafkaException(message.error())
        headers = dict(message.headers() or [])
        emit(partition=message.partition(), offset=message.offset(), key=text(message.key()), value=text(message.value()), header=text(headers.get('h')))
    consumer.close()


def group(options):
    ended = input_ended()
    settings = {'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 100, 'heartbeat.interval.ms': 500}
    consumer = Consumer({**common(options), **settings, 'group.id': options.group, 'client.rack': options.rack})
    consumer.subscribe([options.topic])
    while not ended.is_set():
        message = consumer.poll(0.1)
        if message is None or message.error() is not None:
            continue
        emit(partition=message.partition(), offset=message.offset(), value=text(message.value()))
    consumer.close()


def loop(options):
    ended = input_ended()
    producer = Producer({**common(options), 'enable.idempotence': True, 'linger.ms': 2, 'message.timeout.ms': 90000, 'batch.num.messages': 10})
    number = 0
    while not ended.is_set():
        if len(producer) < 200:
            producer.produce(options.topic, value='record %d' % number, partition=number % 3, on_delivery=report)
            number += 1
        producer.poll(0.001)
    left = producer.flush(90)
    if left:
        sys.exit('%d records were not acknowledged' % left)


def admin(options):
    topic, client = options.topic, AdminClient(common(options))

    def only(futures):
        (future,) = futures.values()
        return future.result(30)

    only(client.create_topics([NewTopic(topic, 3, 1, config={'max.message.bytes': '123456'})]))
    emit(step='create')
    emit(step='list', found=topic in client.list_topics(timeout=30).topics)
    only(client.create_partitions([NewPartitions(topic, 4)]))
    emit(step='grow', partitions=len(client.list_topics(topic, timeout=30).topics[topic].partitions))

    def limit():
        return only(client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))['max.message.bytes'].value

    emit(step='configs', value=limit())
    change = ConfigEntry('max.message.bytes', '234567', incremental_operation=AlterConfigOpType.SET)
    only(client.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])]))
    emit(step='change configs', value=limit())
    emit(step='cluster', nodes=len(client.describe_cluster().result(30).nodes))
    groups = client.list_consumer_groups().result(30)
    emit(step='groups', found=options.group in [each.group_id for each in groups.valid])
    emit(step='group', state=only(client.describe_consumer_groups([options.group])).state.name)
    offsets = only(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(options.group)]))
    emit(step='committed', offsets=sorted([each.partition, each.offset] for each in offsets.topic_partitions))
    first = TopicPartition(offsets.topic_partitions[0].topic, 0)
    emit(step='end', offset=only(client.list_offsets({first: OffsetSpec.latest()})).offset)
    only(client.delete_records([TopicPartition(first.topic, 0, 1)]))
    emit(step='delete records', start=only(client.list_offsets({first: OffsetSpec.earliest()})).offset)
    only(client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(options.group, [TopicPartition(first.topic, 0, 1)])]))
    offsets = only(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(options.group, [first])]))
    emit(step='altered', offset=offsets.topic_partitions[0].offset)
    only(client.delete_consumer_groups([options.group]))
    groups = client.list_consumer_groups().result(30)
    emit(step='delete group', found=options.group in [each.group_id for each in groups.valid])
    only(client.delete_topics([topic]))
    emit(step='delete', found=topic in client.list_topics(timeout=30).topics)


def unserved(options):
    """What the server does not serve ends in an error; a regular expression, which the client resolves itself, does not."""
    pattern = Consumer({**common(options), 'group.id': options.group, 'auto.offset.reset': 'earliest'})
    pattern.subscribe(['^' + options.topic[:-1]])
    emit(step='regular expression', value=text(pattern.poll(60).value()))
    pattern.close()
    modern = Consumer({**common(options), 'group.id': options.group + '-modern', 'group.protocol': 'consumer'})
    modern.subscribe([options.topic])
    emit(step='consumer protocol', error=str(modern.poll(60).error()))
    client = AdminClient(common(options))
    try:
        (users,) = client.describe_user_scram_credentials([options.group]).values()
        emit(step='describe users', error=None, users=str(users.result(30)))
    except KafkaException as error:
        emit(step='describe users', error=str(error))


def version(options):
    emit(version='%s (librdkafka %s)' % (version_of('confluent-kafka'), libversion()[0]))


options = arguments()
{'version': version, 'produce': produce, 'consume': consume, 'group': group, 'loop': loop, 'admin': admin, 'unserved': unserved}[options.command](options)
