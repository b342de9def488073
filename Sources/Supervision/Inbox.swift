internal import Backends
internal import CLinux
internal import Dispatch
internal import Reactor

/// Messages from other threads to supervision's loop.
enum SupervisionMessage: Sendable {
    case orders([SupervisionOrder], group: Int)
    case killAll
    case reopenOutput
    case launch(LaunchSpec, group: Int, generation: Int)
    case grow([LaunchSpec?], [any SupervisedGroup])
    /// By group how TLS is spoken to its servers, and where their names are looked up.
    case watchServers([Int: [ProcessAddress: SecureServer]], NameService)
    /// Lines that an application said beside a response: the group's name, and the process's label.
    case heard([UInt8], ProcessKey, name: String, label: String)
    /// Confirmed by signalling the semaphore.
    case leave(DispatchSemaphore)
    /// Confirmed by the loop's pulse.
    case livenessCheck
    case stop
}

/// Input from outside the loop: messages of other threads, and this program's signals.
struct Inbox {
    private let mailbox: Mailbox<SupervisionMessage>
    private var mail: [SupervisionMessage] = []
    /// Shows other threads that the loop takes its turns.
    let pulse: Pulse
    /// Whether the thread must exit after the last process.
    var isStopping = false
    /// A signalfd.
    let signals: Int32
    private let onSignal: @Sendable (Int32) -> Void

    init(
        _ mailbox: Mailbox<SupervisionMessage>, pulse: Pulse, signals: Int32,
        onSignal: @escaping @Sendable (Int32) -> Void
    ) {
        self.mailbox = mailbox
        self.pulse = pulse
        self.signals = signals
        self.onSignal = onSignal
    }

    /// The messages since the last call, in order.
    mutating func takeMail() -> [SupervisionMessage] {
        mailbox.drain(into: &mail)
        return mail
    }

    /// Passes on pending signals other than SIGCHLD.
    ///
    /// - Returns: whether a child has exited.
    func passSignals() -> Bool {
        var hasChildEnded = false
        while true {
            let signal = mooring_signalfd_next(signals)
            if signal == 0 { return hasChildEnded }
            if signal == SIGCHLD {
                hasChildEnded = true
            } else {
                onSignal(signal)
            }
        }
    }
}
