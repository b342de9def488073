internal import Backends

/// Gathers what one loop's applications say beside their responses, and passes it on in whole records.
///
/// Belongs to the loop's thread. Who says too much is cut short: nobody reads that fast.
final class ErrorTexts {
    private static let longest = 8 * 1024
    private static let window: Int64 = 1_000_000_000
    private static let mostInWindow = 256 * 1024

    /// Beginnings of records, by the connection that they come over.
    private var unfinished: [Int: [UInt8]] = [:]
    private var windowEnd = Int64.min
    private var said = 0
    private let shared: SharedState
    private let plan: Plan

    init(_ shared: SharedState, plan: Plan) {
        self.shared = shared
        self.plan = plan
    }

    /// Takes in a piece of a record.
    func add(
        _ bytes: Span<UInt8>, endsRecord: Bool, of process: ProcessHandle, group: Int,
        over entry: Int, now: Int64
    ) {
        var text = unfinished.removeValue(forKey: entry) ?? []
        for index in 0..<min(bytes.count, Self.longest - text.count) { text.append(bytes[index]) }
        if !endsRecord {
            unfinished[entry] = text
            return
        }
        if now >= windowEnd {
            windowEnd = now + Self.window
            said = 0
        }
        said += text.count
        guard said <= Self.mostInWindow else {
            return shared.logThrottle.note(
                .errorTexts, now: now,
                "applications of group \(plan.groups[group].name) say more on stderr than can be logged;"
                    + " the rest is dropped")
        }
        let label = plan.groups[group].identity(of: process)?.label ?? ""
        shared.onErrors(ErrorText(group: group, process: process, label: label, bytes: text))
    }

    /// The connection has ended.
    func forget(_ entry: Int) { if !unfinished.isEmpty { unfinished[entry] = nil } }
}
