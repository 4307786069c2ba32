// The application: HTTP on one side, a Kafka consumer on the other.
import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { MicroserviceOptions } from '@nestjs/microservices'
import { AppModule } from './app.module.js'
import { kafka } from './kafka.js'

const app = await NestFactory.create(AppModule)
app.enableShutdownHooks()
app.connectMicroservice<MicroserviceOptions>(kafka('warehouse'))
// Start the Kafka side first, because HTTP requests wait for its replies.
await app.startAllMicroservices()
await app.listen(process.env['PORT'] ?? 3000)
console.log(`listening on ${await app.getUrl()}`)
