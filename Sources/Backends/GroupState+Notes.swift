/// Notifications from processes (sd_notify(3)).
extension GroupState {
    /// The longest extension that a process may request at once.
    private static let longestExtension = Interval.seconds(3600)

    mutating func noted(
        _ handle: ProcessHandle, _ note: ProcessNote
    ) {
        guard isSpawned, let entry = find(handle) else { return }
        let index = Int(entry)
        switch note {
        case .status(let text):
            processes[index].statusText = text
        case .stopping:
            takeOut(entry, .notify)
        case .extendTimeout(let span):
            extend(index, by: min(max(span, .zero), Self.longestExtension))
        case .busy(let isBusy):
            processes[index].isBusy = isBusy
            if !isBusy { processes[index].idleSince = now }
        }
        touch(entry)
    }

    /// Never shortens: EXTEND_TIMEOUT_USEC asks for more time, not for less.
    private mutating func extend(_ index: Int, by span: Interval) {
        switch processes[index].phase {
        case .starting(let until):
            processes[index].phase = .starting(until: max(until, now + span))
        case .stopping(let reason, let killAt):
            guard let killAt else { return }
            processes[index].phase = .stopping(reason, killAt: max(killAt, now + span))
        case .ready, .draining, .down, .gone: break
        }
    }
}
