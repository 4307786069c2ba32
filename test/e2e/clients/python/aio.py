"""aiokafka as the tests drive it."""
import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from command import arguments, emit, input_ended, record, text, version_of


async def report(sent, value):
    placed = await sent
    emit(partition=placed.partition, offset=placed.offset, value=text(value))


async def produce(options):
    codec = None if options.codec == 'none' else options.codec
    idempotent = options.idempotent == 'true'
    async with AIOKafkaProducer(bootstrap_servers=options.bootstrap, compression_type=codec, enable_idempotence=idempotent, linger_ms=5) as producer:
        sent = []
        for number in range(options.count):
            partition, key, value, header = record(number)
            sent.append((await producer.send(options.topic, value, key, partition, headers=[('h', header)]), value))
        for future, value in sent:
            await report(future, value)


async def consume(options):
    async with AIOKafkaConsumer(bootstrap_servers=options.bootstrap, auto_offset_reset='earliest', enable_auto_commit=False) as consumer:
        await consumer._client.set_topics([options.topic])
        consumer.assign([TopicPartition(options.topic, partition) for partition in consumer.partitions_for_topic(options.topic)])
        for _ in range(options.count):
            found = await asyncio.wait_for(consumer.getone(), 60)
            header = dict(found.headers).get('h')
            emit(partition=found.partition, offset=found.offset, key=text(found.key), value=text(found.value), header=text(header))


async def group(options):
    ended = input_ended()
    consumer = AIOKafkaConsumer(
        options.topic, bootstrap_servers=options.bootstrap, group_id=options.group, auto_offset_reset='earliest',
        auto_commit_interval_ms=100, heartbeat_interval_ms=500, metadata_max_age_ms=5000,
    )
    async with consumer:
        while not ended.is_set():
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for found in records:
                    emit(partition=found.partition, offset=found.offset, value=text(found.value))


async def loop(options):
    ended = input_ended()
    settings = {'enable_idempotence': True, 'linger_ms': 2, 'max_batch_size': 300, 'retry_backoff_ms': 50, 'request_timeout_ms': 90000}
    async with AIOKafkaProducer(bootstrap_servers=options.bootstrap, **settings) as producer:
        sent, number = asyncio.Queue(), 0

        async def reports():
            while True:
                await report(*await sent.get())
                sent.task_done()

        reporting = asyncio.create_task(reports())
        while not ended.is_set() and not reporting.done():
            if sent.qsize() < 200:
                value = b'record %d' % number
                sent.put_nowait((await producer.send(options.topic, value, partition=number % 3), value))
                number += 1
            else:
                await asyncio.sleep(0.001)
        finished = asyncio.create_task(sent.join())
        await asyncio.wait([finished, reporting], return_when=asyncio.FIRST_COMPLETED)
        if reporting.done():
            reporting.result()
        reporting.cancel()


async def admin(options):
    topic, client = options.topic, AIOKafkaAdminClient(bootstrap_servers=options.bootstrap)
    await client.start()

    async def group_found():
        return options.group in [name for name, *_ in await client.list_consumer_groups()]

    created = await client.create_topics([NewTopic(topic, 3, 1, topic_configs={'max.message.bytes': '123456'})])
    assert all(code == 0 for _, code, *_ in created.topic_errors), created
    emit(step='create')
    emit(step='list', found=topic in await client.list_topics())
    await client.create_partitions({topic: NewPartitions(4)})
    emit(step='grow', partitions=len((await client.describe_topics([topic]))[0]['partitions']))

    async def limit():
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        ((_, _, _, _, entries),) = answer.resources
        return {name: value for name, value, *_ in entries}['max.message.bytes']

    emit(step='configs', value=await limit())
    (changed,) = await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={'max.message.bytes': '234567'})])
    assert all(code == 0 for code, *_ in changed.resources), changed
    emit(step='change configs', value=await limit())
    emit(step='cluster', nodes=len((await client.describe_cluster())['brokers']))
    emit(step='groups', found=await group_found())
    (described,) = await client.describe_consumer_groups([options.group])
    emit(step='group', state=described.groups[0][2].upper())
    committed = await client.list_consumer_group_offsets(options.group)
    emit(step='committed', offsets=sorted([each.partition, committed[each].offset] for each in committed))
    first = TopicPartition(options.read, 0)
    emit(step='delete records', start=(await client.delete_records({first: RecordsToDelete(before_offset=1)}))[first])
    deleted = await client.delete_topics([topic])
    assert all(code == 0 for _, code, *_ in deleted.topic_error_codes), deleted
    emit(step='delete', found=topic in await client.list_topics())
    await client.close()


async def version(options):
    emit(version=version_of('aiokafka'))


options = arguments()
asyncio.run({'version': version, 'produce': produce, 'consume': consume, 'group': group, 'loop': loop, 'admin': admin}[options.command](options))
