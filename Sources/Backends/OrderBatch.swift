/// The decisions of one change to a group, in order.
struct OrderBatch: Sendable {
    var traffic: [TrafficOrder] = []
    var supervision: [SupervisionOrder] = []
    var events: [RegistryEvent] = []

    /// A start waits for another group to stop a process.
    var wantsRoom = false

    var isEmpty: Bool {
        traffic.isEmpty && supervision.isEmpty && events.isEmpty && !wantsRoom
    }
}
