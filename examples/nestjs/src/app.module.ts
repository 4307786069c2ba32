// What belongs together: both controllers, and the client with which orders are sent.
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
