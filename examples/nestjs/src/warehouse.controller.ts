// The warehouse uses Kafka only: it answers requests for prices, and ships orders that are published.
import { Controller, Get } from '@nestjs/common'
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices'
import type { Order } from './orders.controller.js'

@Controller()
export class WarehouseController {
  readonly #shipments = new Map<string, Order>()

  /** Returns an object, because a bare number arrives as a string. */
  @MessagePattern('orders.price')
  price(@Payload() { count }: Pick<Order, 'item' | 'count'>): Pick<Order, 'price'> {
    return { price: count * 2.5 }
  }

  /** Events arrive at least once. The map makes repeated events harmless. */
  @EventPattern('orders.created')
  ship(@Payload() order: Order): void {
    this.#shipments.set(order.id, order)
  }

  @Get('shipments')
  shipments(): readonly Order[] {
    return [...this.#shipments.values()]
  }
}
