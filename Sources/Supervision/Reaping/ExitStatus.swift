internal import CLinux
internal import Glibc

/// How a child ended.
enum ExitStatus: Equatable, Sendable {
    case exited(status: Int32)
    case killed(signal: Int32, coreDumped: Bool)
    /// An adopted process's: the kernel reports it only to the parent, which is another process.
    case unknown

    init(_ native: mooring_exit) {
        self =
            native.signal == 0
            ? .exited(status: native.status)
            : .killed(signal: native.signal, coreDumped: native.core_dumped)
    }

    /// `exited with status 1`, `killed by signal 9 (SIGKILL)`.
    var sentence: String {
        switch self {
        case .exited(let status):
            return "exited with status \(status)"
        case .killed(let signal, let coreDumped):
            let core = coreDumped ? ", core dumped" : ""
            guard let name = unsafe mooring_signal_name(signal) else {
                return "killed by signal \(signal)\(core)"
            }
            return unsafe "killed by signal \(signal) (SIG\(String(cString: name)))\(core)"
        case .unknown:
            return "ended; as an adopted process it told its status to its parent"
        }
    }

    /// The same, with the cause suggested by the kernel's counters.
    func sentence(endedForMemory: Bool) -> String {
        let cause = "the kernel kills for want of memory: allow more of it, or fewer processes"
        return endedForMemory ? "\(sentence); \(cause)" : sentence
    }

    /// Whether it exited as by the kernel's OOM killer.
    var mayBeMemoryKill: Bool {
        switch self {
        case .exited: false
        case .killed(let signal, _): signal == SIGKILL
        case .unknown: true
        }
    }

    var status: Int32? {
        if case .exited(let status) = self { status } else { nil }
    }

    var signal: Int32? {
        if case .killed(let signal, _) = self { signal } else { nil }
    }
}
