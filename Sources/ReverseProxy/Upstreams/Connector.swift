internal import Backends
internal import Exchanges
internal import Glibc
internal import Reactor
internal import Settings

/// From a slot to a connection that carries the request.
///
/// Belongs to the loop's thread.
final class Connector {
    private let exchanges: ExchangeTable
    private let upstreams: Upstreams
    private let plan: Plan
    private let dialer: Dialer
    private let kept: KeptConnections
    private let abandoned: AbandonedRequests
    private let retries: Retries
    private let requests: RequestPump

    init(
        _ owners: Owners, kept: KeptConnections, abandoned: AbandonedRequests, retries: Retries,
        requests: RequestPump
    ) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        plan = owners.plan
        dialer = Dialer(owners)
        self.kept = kept
        self.abandoned = abandoned
        self.retries = retries
        self.requests = requests
    }

    /// Gets a connection to the process that the exchange has a slot on, and sends the request.
    func openUpstream(_ exchange: Int, fresh: Bool) -> Step {
        guard let grant = exchanges[exchange].machine.grant else {
            preconditionFailure("an exchange without a slot has no process to connect to")
        }
        let group = Int(exchanges[exchange].group)
        guard dialer.know(grant.process, group: group) else {
            // The process exited after the grant.
            return retries.connectFailed(exchange, .refused)
        }
        if !fresh,
            let entry = kept.take(
                to: grant.process, group: group, for: exchange,
                of: Int(exchanges[exchange].downstream),
                isReplayable: exchanges[exchange].machine.isReplayable)
        {
            exchanges[exchange].move(source: .init(process: entry))
            return requests.sendRequest(exchange)
        }
        let attempt = connectAttempt(exchange)
        if dialer.codec(of: group).keepsWorkerBusy {
            upstreams.letOthersGo(of: grant.process, group: group)
        }
        return goOn(exchange, dialer.connect(to: grant.process, group: group, attempt))
    }

    /// A connection without an exchange has had an event.
    func event(_ entry: Int, _ readiness: Readiness) -> Step {
        switch upstreams[entry].phase {
        case .postponed, .busy: break
        case .idle: if !readiness.isEmpty { kept.idleEnded(entry) }
        case .abandoned: abandoned.discardInput(entry)
        case .connecting, .handshaking:
            let exchange = Int(upstreams[entry].exchange)
            let attempt = connectAttempt(exchange)
            return goOn(exchange, dialer.continueConnecting(entry, readiness, attempt))
        }
        return .wait
    }

    /// The deadline of a connection without an exchange has passed.
    func timedOut(_ entry: Int) -> Step {
        switch upstreams[entry].phase {
        case .busy: break
        case .postponed: return retry(entry)
        case .idle: upstreams.close(entry)
        case .abandoned: abandoned.timedOut(entry)
        case .connecting, .handshaking:
            let exchange = Int(upstreams[entry].exchange)
            let attempt = connectAttempt(exchange)
            return goOn(exchange, dialer.connectFailed(entry, ETIMEDOUT, attempt))
        }
        return .wait
    }

    /// The pause after a full backlog is over.
    private func retry(_ entry: Int) -> Step {
        let exchange = Int(upstreams[entry].exchange)
        exchanges[exchange].move(source: .undecided)
        upstreams.close(entry)
        guard exchanges[exchange].machine.triesAgain(now: exchanges.now) else {
            return retries.connectFailed(exchange, .backlogFull)
        }
        return openUpstream(exchange, fresh: true)
    }

    private func connectAttempt(_ exchange: Int) -> ConnectAttempt {
        ConnectAttempt(exchange: exchange, latest: exchanges.requestEnd(exchange))
    }

    /// Acts on a connection step: sends the request, or tries something else.
    private func goOn(_ exchange: Int, _ step: ConnectStep) -> Step {
        switch step {
        case .ready(let entry):
            setSource(exchange, entry)
            return requests.sendRequest(exchange)
        case .pending(let entry):
            setSource(exchange, entry)
            return .wait
        case .failed(let failure):
            if exchanges[exchange].source.connection != nil {
                exchanges[exchange].move(source: .undecided)
            }
            if failure == .backlogFull, postpone(exchange) { return .wait }
            return retries.connectFailed(exchange, failure)
        }
    }

    /// The connection may have changed, to another address of the process.
    private func setSource(_ exchange: Int, _ entry: Int) {
        if let before = exchanges[exchange].source.connection {
            if before == entry { return }
            exchanges[exchange].move(source: .undecided)
        }
        exchanges[exchange].move(source: .init(process: entry))
    }

    /// Retries the process in a moment, since its backlog is full; false: it was full for too long.
    private func postpone(_ exchange: Int) -> Bool {
        let patience = plan.settings.timeouts.connect
        guard let grant = exchanges[exchange].machine.grant,
            let pause = exchanges[exchange].machine.backlogFull(
                patience: patience, now: exchanges.now),
            let entry = dialer.postpone(
                to: grant.process, group: Int(exchanges[exchange].group), after: pause,
                connectAttempt(exchange))
        else { return false }
        exchanges[exchange].move(source: .init(process: entry))
        return true
    }
}
