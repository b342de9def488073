/// What a change to a group decided, in the order of the decisions.
struct OrderBatch: Sendable {
    var traffic: [TrafficOrder] = []
    var supervision: [SupervisionOrder] = []
    var events: [RegistryEvent] = []

    /// A start waits for another group to give a process up.
    var wantsRoom = false

    var isEmpty: Bool {
        traffic.isEmpty && supervision.isEmpty && events.isEmpty && !wantsRoom
    }
}
