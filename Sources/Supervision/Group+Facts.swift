internal import Backends

// What processes say of themselves and why they are to be replaced, in the terms that the registry
// knows so far. This file goes when the registry takes both by itself.

/// What a process says of itself.
enum ProcessNote: Equatable, Sendable {
    case status(String)
    case stopping
    case extendTimeout(Interval)
    case busy(Bool)
}

extension StopReason {
    static var watchdog: StopReason { .drained }
    static var unhealthy: StopReason { .drained }
    static var maxMemory: StopReason { .drained }
}

extension Group {
    func noted(_ process: ProcessHandle, _ note: ProcessNote, now: MonotonicInstant) {
        switch note {
        case .stopping: drain(process, now: now)
        case .status, .extendTimeout, .busy: break
        }
    }

    func recycle(_ process: ProcessHandle, reason: StopReason, now: MonotonicInstant) {
        drain(process, now: now)
    }
}
