internal import Synchronization

/// Limits how often the loops log the same kind of problem.
///
/// Each kind is logged when it first happens and then at most every ten seconds, with the number of
/// suppressed reports: a lack of descriptors must not fill the disk with log lines.
package final class LogThrottle: Sendable {
    /// The kinds of problem; each is limited and counted by itself.
    package enum Kind: Int, CaseIterable, Sendable {
        /// New connections cannot be accepted, for lack of descriptors or memory.
        case accepting
        /// `limits.connections` are open; new ones wait.
        case connectionLimit
        /// Connecting to a process failed, for lack of descriptors or memory here.
        case connecting
        /// Another user's program listens on a process's port, or its owner is unknown.
        case portOwner
        /// TLS with a server failed.
        case serverTLS
        /// Lines of the access log are lost.
        case accessLog
        /// The access log could not be opened again.
        case reopening
        /// `limits.buffer_memory` is used up.
        case bufferMemory
        /// A process sent bytes that belong to no request.
        case strayBytes
        /// Applications write more to stderr over FastCGI than can be logged.
        case errorTexts
        /// A FastCGI process is sent a body without a length.
        case unmeasuredBody
        /// A response has an unknown `Mooring-Pin`.
        case pinDirective
        /// The wall clock was set.
        case clock
    }

    /// Receives a sentence, and how many reports of its kind were suppressed before it; any thread.
    package typealias Report = @Sendable (_ text: String, _ suppressed: UInt64) -> Void

    private struct State {
        var loggedAt: Int64?
        var suppressed: UInt64 = 0
    }

    private static let pause: Int64 = 10_000_000_000

    private let states = Mutex([State](repeating: State(), count: Kind.allCases.count))
    private let report: Report

    init(_ report: @escaping Report) { self.report = report }

    /// Reports something that is rare by itself.
    func log(_ text: String) { report(text, 0) }

    /// Reports a problem, or only counts it.
    ///
    /// - Parameter now: monotonic ns.
    func note(_ kind: Kind, now: Int64, _ text: @autoclosure () -> String) {
        let suppressed: UInt64? = states.withLock { states in
            if let loggedAt = states[kind.rawValue].loggedAt, now - loggedAt < Self.pause {
                states[kind.rawValue].suppressed += 1
                return nil
            }
            let suppressed = states[kind.rawValue].suppressed
            states[kind.rawValue] = State(loggedAt: now)
            return suppressed
        }
        if let suppressed { report(text(), suppressed) }
    }
}
