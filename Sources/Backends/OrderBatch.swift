/// What a change to a group decided, in the order of the decisions.
struct OrderBatch: Sendable {
    var traffic: [TrafficOrder] = []
    var supervision: [SupervisionOrder] = []
    var events: [RegistryEvent] = []

    var isEmpty: Bool { traffic.isEmpty && supervision.isEmpty && events.isEmpty }
}
