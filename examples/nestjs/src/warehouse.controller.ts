// The warehouse hears of orders over Kafka only: it is asked for prices, and ships what is announced.
import { Controller, Get } from '@nestjs/common'
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices'
import type { Order } from './orders.controller.js'

@Controller()
export class WarehouseController {
  readonly #shipments = new Map<string, Order>()

  /** An object, because a bare number comes back as text. */
  @MessagePattern('orders.price')
  price(@Payload() { count }: Pick<Order, 'item' | 'count'>): Pick<Order, 'price'> {
    return { price: count * 2.5 }
  }

  /** An event comes at least once, so who hears it makes sure that it counts once. */
  @EventPattern('orders.created')
  ship(@Payload() order: Order): void {
    this.#shipments.set(order.id, order)
  }

  @Get('shipments')
  shipments(): readonly Order[] {
    return [...this.#shipments.values()]
  }
}
