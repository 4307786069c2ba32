// Receives orders over HTTP. It requests the price over Kafka, waits for the reply, and publishes the order.
import { randomUUID } from 'node:crypto'
import { Body, Controller, Inject, type OnModuleInit, Post } from '@nestjs/common'
import { ClientKafka } from '@nestjs/microservices'
import { lastValueFrom } from 'rxjs'

export const KAFKA = 'KAFKA'

export interface Order {
  readonly id: string
  readonly item: string
  readonly count: number
  readonly price: number
}

@Controller('orders')
export class OrdersController implements OnModuleInit {
  constructor(@Inject(KAFKA) private readonly client: ClientKafka) {}

  async onModuleInit(): Promise<void> {
    this.client.subscribeToResponseOf('orders.price')
    await this.client.connect()
  }

  @Post()
  async create(@Body() { item, count }: Pick<Order, 'item' | 'count'>): Promise<Order> {
    const { price } = await lastValueFrom(this.client.send<Pick<Order, 'price'>>('orders.price', { item, count }))
    const order = { id: randomUUID(), item, count, price }
    // The key keeps the orders of one item in sequence.
    await lastValueFrom(this.client.emit('orders.created', { key: item, value: order }))
    return order
  }
}
