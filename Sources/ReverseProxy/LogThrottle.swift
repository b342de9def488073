internal import Synchronization

/// Limits how often the loops log the same kind of problem.
///
/// Each kind is logged when it first happens and then at most every ten seconds, with the number of
/// suppressed reports: a lack of descriptors must not fill the disk with log lines. What concerns a
/// group is limited for each group, so that one does not hide another.
package final class LogThrottle: Sendable {
    /// The kinds of problem; each is limited and counted by itself.
    package enum Kind: CaseIterable, Sendable {
        /// New connections cannot be accepted, for lack of descriptors or memory.
        case accepting
        /// `limits.connections` are open; new ones wait.
        case connectionLimit
        /// Connecting to a process failed, for lack of descriptors or memory here.
        case connecting
        /// Another user's program listens on a process's port, or its owner is unknown.
        case portOwner
        /// TLS with a server failed; by group.
        case serverTLS
        /// A server cannot be reached; by group.
        case unreachable
        /// The head of a response is invalid; by group.
        case badResponse
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
        /// A file of a route cannot be opened, though it is there.
        case servedFile
        /// The wall clock was set.
        case clock
    }

    /// Receives a sentence, and how many reports of its kind were suppressed before it; any thread.
    package typealias Report = @Sendable (_ text: String, _ suppressed: UInt64) -> Void

    private struct Subject: Hashable {
        var kind: Kind
        var group: Int?
    }

    private struct State {
        var loggedAt: Int64
        var suppressed: UInt64 = 0
    }

    private static let pause: Int64 = 10_000_000_000

    private let states = Mutex([Subject: State]())
    private let report: Report

    init(_ report: @escaping Report) { self.report = report }

    /// Reports something that is rare by itself.
    func log(_ text: String) { report(text, 0) }

    /// Reports a problem, or only counts it.
    ///
    /// - Parameters:
    ///   - group: the index of the group that it is about; nil: none.
    ///   - now: monotonic ns.
    func note(
        _ kind: Kind, of group: Int? = nil, now: Int64, _ text: @autoclosure () -> String
    ) {
        let subject = Subject(kind: kind, group: group)
        let suppressed: UInt64? = states.withLock { states in
            guard let state = states[subject] else {
                states[subject] = State(loggedAt: now)
                return 0
            }
            if now - state.loggedAt < Self.pause {
                states[subject]?.suppressed += 1
                return nil
            }
            states[subject] = State(loggedAt: now)
            return state.suppressed
        }
        if let suppressed { report(text(), suppressed) }
    }
}
