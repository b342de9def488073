internal import Glibc
internal import Reactor
internal import ReverseProxy
internal import Supervision

/// Checks that every loop takes its turns: those of the data plane and that of supervision.
///
/// One thread checks them until the program exits; the service manager and `/healthz` get the
/// result.
final class Heartbeat: Sendable {
    private static let period: Int64 = 1_000_000_000
    /// The longest delay of a healthy loop that waits for a processor.
    private static let patience: Int64 = 5_000_000_000

    private let proxy: Proxy
    private let supervisor: Supervisor
    private let pulses: [Pulse]

    init(proxy: Proxy, supervisor: Supervisor) {
        self.proxy = proxy
        self.supervisor = supervisor
        pulses = [supervisor.pulse] + proxy.pulses
    }

    /// Starts the thread; the loops are running already.
    func start(_ manager: ServiceManager) throws(SystemError) {
        // Twice as often as required, as sd_watchdog_enabled(3) advises.
        let pause = manager.watchdogNanoseconds.map { max($0 / 2, 10_000_000) }
        let period = min(pause ?? Self.period, Self.period)
        try LoopThread.start(name: "heartbeat") { [self] in
            var notifiedAt = Int64.min
            while true {
                let now = Clock.monotonic()
                proxy.checkLiveness(now: now)
                supervisor.checkLiveness(now: now)
                usleep(useconds_t(period / 1000))
                let isDue = pause.map { notifiedAt < Clock.monotonic() - $0 + period } ?? false
                if isDue, pulses.allSatisfy({ $0.silence(now: now) == 0 }) {
                    manager.notify("WATCHDOG=1")
                    notifiedAt = Clock.monotonic()
                }
            }
        }
    }

    /// The loops that have not taken a turn for some seconds, as text.
    func stalled() -> [String] {
        let now = Clock.monotonic()
        return pulses.compactMap { pulse in
            let silence = pulse.silence(now: now)
            guard silence > Self.patience else { return nil }
            return "\(pulse.name) has not taken a turn for \(silence / 1_000_000_000) s"
        }
    }
}
