internal import Reactor
internal import Settings

/// The owners of one loop's state; each duty keeps those that it works on.
struct Owners {
    /// The loop's.
    let index: Int
    let loop: EventLoop
    let shared: SharedState
    let plan: Plan
    let counters: LoopCounters
    let deadlines: Deadlines
    let buffers: Buffers
    let agenda = Agenda()
    let drain = DrainState()
    let downstreams: Downstreams
    let upstreams: Upstreams
    let transfers: FileTransfers
    let exchanges: ExchangeTable

    init(index: Int, shared: SharedState, loop: EventLoop) {
        self.index = index
        self.shared = shared
        self.loop = loop
        let settings = shared.settings
        plan = Plan(settings, groups: shared.groups)
        counters = LoopCounters(shared.shares[index], groups: shared.groups.count)
        let clients = 2 * settings.limits.connections
        let processes = clients + 4096
        deadlines = Deadlines(clients: clients, processes: processes, now: loop.now)
        buffers = Buffers(settings, shares: shared.shares, index: index)
        downstreams = Downstreams(
            capacity: clients, index: index, plan: plan, loop: loop, deadlines: deadlines,
            buffers: buffers, agenda: agenda, drain: drain, shared: shared)
        upstreams = Upstreams(
            capacity: processes, index: index, plan: plan, loop: loop, deadlines: deadlines,
            buffers: buffers, shared: shared)
        transfers = FileTransfers(
            capacity: clients, counters: counters, shared: shared, plan: plan)
        let log = AccessLog(
            writer: shared.accessLog, format: settings.accessLog.format,
            groupNames: settings.groupNames)
        exchanges = ExchangeTable(
            capacity: clients, log: log, plan: plan, counters: counters, downstreams: downstreams,
            upstreams: upstreams, transfers: transfers, buffers: buffers, loop: loop)
    }
}
