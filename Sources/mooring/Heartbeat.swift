internal import Glibc
internal import Reactor
internal import ReverseProxy

/// Signs of life for the service manager: only while every loop takes its turns.
///
/// One thread, which ends with the program.
enum Heartbeat {
    /// Starts the thread, if anybody wants to hear of it.
    static func start(_ manager: ServiceManager, proxy: Proxy) throws {
        guard let interval = manager.watchdogNanoseconds else { return }
        // Twice as often as it has to be, as sd_watchdog_enabled(3) advises.
        let pause = max(interval / 2, 10_000_000)
        try LoopThread.start(name: "heartbeat") {
            while true {
                proxy.askForSigns()
                usleep(useconds_t(min(pause / 1000, 3_600_000_000)))
                if proxy.haveAllGivenSigns { manager.notify("WATCHDOG=1") }
            }
        }
    }
}
