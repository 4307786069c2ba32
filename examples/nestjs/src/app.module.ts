// The module: both controllers, and the Kafka client that sends orders.
import { Module } from '@nestjs/common'
import { ClientsModule } from '@nestjs/microservices'
import { kafka } from './kafka.js'
import { KAFKA, OrdersController } from './orders.controller.js'
import { WarehouseController } from './warehouse.controller.js'

@Module({
  imports: [ClientsModule.register([{ name: KAFKA, ...kafka('orders') }])],
  controllers: [OrdersController, WarehouseController],
})
export class AppModule {}
