internal import CLinux

/// The service manager that started the program: what it passes, and what it expects.
///
/// sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). All of it comes in the environment.
package struct ServiceManager: Sendable {
    private let address: String?
    /// How often it expects WATCHDOG=1; nil: it does not watch.
    package let watchdogNanoseconds: Int64?
    /// Sockets that it has opened, by name; several with one name are in order.
    package let sockets: [(name: String, descriptor: Int32)]
    private static let firstDescriptor: Int32 = 3
    private static let mostSockets = 128

    /// - Parameters:
    ///   - environment: the program's own.
    ///   - process: the program's pid: variables meant for another process are ignored.
    package init(environment: [String: String], process: Int32) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isMine = { (name: String) in
            environment[name].map { Int32($0) == process } ?? true
        }
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdogNanoseconds =
            isMine("WATCHDOG_PID") && microseconds > 0
            ? microseconds.multipliedReportingOverflow(by: 1000).partialValue : nil
        let count = environment["LISTEN_FDS"].flatMap { Int($0) } ?? 0
        guard environment["LISTEN_PID"] != nil, isMine("LISTEN_PID"),
            (1...Self.mostSockets).contains(count)
        else {
            sockets = []
            return
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        sockets = (0..<count).map { index in
            let name =
                index < names.count && !names[index].isEmpty ? String(names[index]) : "unknown"
            return (name, Self.firstDescriptor + Int32(index))
        }
    }

    /// Whether a service manager receives notifications.
    package var isPresent: Bool { address != nil }

    /// Sends assignments such as `READY=1`; silently dropped without a receiver.
    package func notify(_ lines: String...) {
        guard let address else { return }
        let text = lines.joined(separator: "\n")
        _ = unsafe mooring_notify(address, text, text.utf8.count)
    }
}
