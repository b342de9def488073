internal import Backends
internal import Synchronization

/// Collects the registry's orders until the run handles them.
final class OrderCollector: OrderExecutor {
    struct Orders {
        var traffic: [TrafficOrder] = []
        var supervision: [SupervisionOrder] = []
        var events: [RegistryEvent] = []
        var deadlineMoved = false
        var wantsRoom = false
    }

    private let orders = Mutex(Orders())

    func carryOut(_ orders: [TrafficOrder], group: Int) {
        self.orders.withLock { $0.traffic += orders }
    }
    func carryOut(_ orders: [SupervisionOrder], group: Int) {
        self.orders.withLock { $0.supervision += orders }
    }
    func record(_ events: [RegistryEvent], group: Int) {
        orders.withLock { $0.events += events }
    }
    func deadlineMovedForward(group: Int) { orders.withLock { $0.deadlineMoved = true } }

    func roomWanted(group: Int) { orders.withLock { $0.wantsRoom = true } }

    func take() -> Orders {
        orders.withLock { orders in
            defer { orders = Orders() }
            return orders
        }
    }
}
