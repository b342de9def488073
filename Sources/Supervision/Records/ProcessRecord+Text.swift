internal import Backends
internal import Settings

/// The text of a record: a first line with the version, `key value` lines in any order, `end`.
///
/// Only this user can write the file, but disks and backups may corrupt it: everything is bounded
/// and checked, and unknown content invalidates the whole record.
extension ProcessRecord {
    private static let firstLine = "mooring-process 1"
    private static let lastLine = "end"

    /// Why a text is not a valid record.
    struct Flaw: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    var text: String {
        var lines = [
            Self.firstLine,
            "boot_id \(boot.bootID)", "pid_namespace \(boot.pidNamespace)",
            "balancer \(balancer.pid) \(balancer.startTime)", "runtime_dir \(runtimeDirectory)",
            "process \(process.pid) \(process.startTime)", "label \(label)",
            "incarnation \(Self.hex(incarnation.value, digits: 16))", "group \(group)",
            "generation \(generation)", "fingerprint \(fingerprint)",
            "address \(Self.text(of: address))", "user \(user)", "on_exit \(onExit.rawValue)",
            "stage \(stage.rawValue)", "left \(isLeft ? 1 : 0)",
            "hold \(sessionHold.nanoseconds)",
        ]
        if let port { lines.append("port \(port)") }
        if let hasSessions { lines.append("in_use \(hasSessions ? 1 : 0)") }
        if isRetired { lines.append("retired 1") }
        if let drainUntil { lines.append("drain_until \(drainUntil)") }
        if let outputFile { lines.append("output \(outputFile)") }
        if let retirement { lines += Self.lines(of: retirement) }
        let written = sessions.prefix(Self.mostSessions)
        lines += written.confirmed.map { "session \(Self.text(of: $0))" }
        lines += written.unconfirmed.map { "unconfirmed \(Self.text(of: $0))" }
        return (lines + [Self.lastLine, ""]).joined(separator: "\n")
    }

    /// Whether the record reads back unchanged after writing.
    var isWritable: Bool {
        (try? ProcessRecord(text: text)) == self
    }

    init(text: String) throws(Flaw) {
        guard text.utf8.count <= Self.sizeLimit else { throw Flaw(description: "it is too long") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first?.hasPrefix("mooring-process ") == true else {
            throw Flaw(description: "it does not begin with \(Self.firstLine)")
        }
        guard lines.removeFirst() == Self.firstLine else {
            throw Flaw(description: "its version is not known to this program")
        }
        guard lines.popLast()?.isEmpty == true, lines.popLast() == Substring(Self.lastLine) else {
            throw Flaw(description: "its end is missing")
        }
        var fields = Fields()
        for line in lines { try fields.take(line) }
        boot = BootIdentity(
            bootID: try fields.word("boot_id", longest: 64),
            pidNamespace: try fields.number("pid_namespace"))
        balancer = try fields.instance("balancer")
        runtimeDirectory = try fields.text("runtime_dir", longest: Self.longestPath)
        process = try fields.instance("process")
        label = try fields.word("label", longest: ProcessLabel.length)
        incarnation = Incarnation(try fields.hex("incarnation"))
        group = try fields.text("group", longest: Self.longestName)
        generation = try fields.number("generation")
        fingerprint = try fields.text("fingerprint", longest: Self.longestFingerprint, empty: true)
        address = try fields.address("address")
        port = try fields.port("port")
        user = try fields.number("user")
        onExit = try fields.choice("on_exit")
        stage = try fields.choice("stage")
        isLeft = try fields.number("left") == 1
        sessionHold = Interval(nanoseconds: max(0, try fields.number("hold")))
        sessions = fields.sessions
        hasSessions = try fields.flag("in_use")
        isRetired = try fields.flag("retired") ?? false
        drainUntil = try fields.optional("drain_until")
        outputFile = try fields.path("output")
        retirement = try fields.retirement()
        try fields.finish()
        guard ProcessLabel.isValid(label) else { throw Flaw(description: "label is not a label") }
        // The socket is removed with the record, so it must not be another file.
        if case .unix(let path) = address, !path.hasSuffix("/\(label).sock") {
            throw Flaw(description: "its socket has not its name")
        }
        let isIntended = stage == .intended
        guard isIntended == (process.pid == 0), !isIntended || process == .none, process.pid != 1
        else {
            throw Flaw(description: "process is not possible in this stage")
        }
    }

    private static func text(of address: ProcessAddress) -> String {
        switch address {
        case .unix(let path): "unix \(path)"
        case .tcp(let host, let port): "tcp \(host) \(port)"
        }
    }

    private static func text(of session: SessionID) -> String {
        hex(session.high, digits: 16) + hex(UInt64(session.low), digits: 8)
    }

    private static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }
}
