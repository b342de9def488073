internal import Backends
internal import Reactor
internal import ReverseProxy
internal import Supervision
internal import Synchronization

/// Passes the registry's orders to the parts that execute them, and its decisions to the log.
///
/// Groups need it before the data plane exists, which in turn needs the groups; so the parts are
/// connected afterwards, once, before anything starts.
final class OrderRelay: OrderExecutor {
    /// The parts, as one object that can be set in one step.
    final class Parts: Sendable {
        let proxy: Proxy
        let supervisor: Supervisor
        let groups: ServingGroups
        let events: EventLog

        init(proxy: Proxy, supervisor: Supervisor, groups: ServingGroups, events: EventLog) {
            self.proxy = proxy
            self.supervisor = supervisor
            self.groups = groups
            self.events = events
        }
    }

    private let parts = AtomicLazyReference<Parts>()

    func connect(_ parts: Parts) { _ = self.parts.storeIfNil(parts) }

    func carryOut(_ orders: [TrafficOrder], group: Int) {
        parts.load()?.proxy.carryOut(orders, group: group)
    }

    func carryOut(_ orders: [SupervisionOrder], group: Int) {
        guard let parts = parts.load() else { return }
        for case .terminate(let process, _) in orders {
            parts.proxy.letGo(of: process, group: group)
        }
        parts.supervisor.carryOut(orders, group: group)
    }

    func record(_ events: [RegistryEvent], group: Int) {
        guard let parts = parts.load(), let known = parts.groups[group] else { return }
        parts.events.record(events, group: known, index: group)
    }

    func roomWanted(group: Int) {
        guard let parts = parts.load() else { return }
        // The requesting group asks again, since the process given up must exit first.
        _ = Group.makeRoom(among: parts.groups.all, now: .now)
    }

    /// What an application said beside its response goes where its process's output does.
    func hear(_ errors: ErrorText) {
        guard let parts = parts.load() else { return }
        parts.supervisor.hear(
            errors.bytes, of: errors.process, group: errors.group,
            name: parts.groups[errors.group]?.name ?? "", label: errors.label)
    }

    func deadlineMovedForward(group: Int) { parts.load()?.supervisor.wake() }
}

extension MonotonicInstant {
    /// The current time of the monotonic clock.
    static var now: MonotonicInstant { MonotonicInstant(nanoseconds: Clock.monotonic()) }
}
