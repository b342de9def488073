internal import Synchronization

/// What keeps the loops from their work, for the operator's log.
///
/// Each kind is told when it first happens and then at most every ten seconds, with how often it
/// happened unsaid: a lack of descriptors does not fill the disk with complaints about it.
package final class Mishaps: Sendable {
    /// What can keep a loop from its work; each is told and counted by itself.
    package enum Kind: Int, CaseIterable, Sendable {
        /// New connections cannot be taken, for lack of descriptors or memory.
        case accepting
        /// `limits.connections` are open; new ones wait.
        case connectionLimit
        /// No connection to a process, for lack of descriptors or memory here.
        case connecting
        /// Another user's program listens where a process should, or that cannot be told.
        case portOwner
        /// A server's TLS is refused, or refuses.
        case serverTLS
        /// Lines of the access log are lost.
        case accessLog
        /// The access log could not be opened again.
        case reopening
        /// `limits.buffer_memory` is used up.
        case bufferMemory
        /// A process sends bytes that belong to no request.
        case strayBytes
        /// A response has a `Mooring-Pin` of no known form.
        case pinDirective
        /// The wall clock was set.
        case clock
    }

    /// Takes a sentence, and how often the like has happened since the last; any thread.
    package typealias Report = @Sendable (_ text: String, _ unsaid: UInt64) -> Void

    private struct State {
        var toldAt: Int64?
        var unsaid: UInt64 = 0
    }

    private static let pause: Int64 = 10_000_000_000

    private let states = Mutex([State](repeating: State(), count: Kind.allCases.count))
    private let report: Report

    init(_ report: @escaping Report) { self.report = report }

    /// Tells of something that happens seldom enough by itself.
    func tell(_ text: String) { report(text, 0) }

    /// Tells of something that has happened, or counts it.
    ///
    /// - Parameter now: monotonic ns.
    func note(_ kind: Kind, now: Int64, _ text: @autoclosure () -> String) {
        let unsaid: UInt64? = states.withLock { states in
            if let toldAt = states[kind.rawValue].toldAt, now - toldAt < Self.pause {
                states[kind.rawValue].unsaid += 1
                return nil
            }
            let unsaid = states[kind.rawValue].unsaid
            states[kind.rawValue] = State(toldAt: now)
            return unsaid
        }
        if let unsaid { report(text(), unsaid) }
    }
}
