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

extension ProcessRecord {
    /// The lines of a record by key, consumed one by one.
    private struct Fields {
        private var values: [Substring: Substring] = [:]
        private(set) var sessions = RememberedSessions()
        private static let mostKeys = 32

        mutating func take(_ line: Substring) throws(Flaw) {
            guard let space = line.firstIndex(of: " "),
                line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { throw Flaw(description: "a line is not a key and a value") }
            let (key, value) = (line[..<space], line[line.index(after: space)...])
            if key == "session" { return sessions.confirmed.append(try session(value)) }
            if key == "unconfirmed" { return sessions.unconfirmed.append(try session(value)) }
            guard values.count < Self.mostKeys, values.updateValue(value, forKey: key) == nil
            else { throw Flaw(description: "\(PrintableText.quoted(String(key))) stands twice") }
        }

        private func session(_ value: Substring) throws(Flaw) -> SessionID {
            guard sessions.count < ProcessRecord.mostSessions, value.utf8.count == 24,
                let high = UInt64(hexadecimal: value.prefix(16)),
                let low = UInt64(hexadecimal: value.dropFirst(16))
            else { throw Flaw(description: "a session is not one") }
            return SessionID(high: high, low: UInt32(truncatingIfNeeded: low))
        }

        mutating func text(
            _ key: String, longest: Int, empty: Bool = false
        ) throws(Flaw) -> String {
            guard let value = values.removeValue(forKey: Substring(key)),
                value.utf8.count <= longest, empty || !value.isEmpty
            else { throw bad(key) }
            return String(value)
        }

        mutating func word(_ key: String, longest: Int) throws(Flaw) -> String {
            let word = try text(key, longest: longest)
            if word.contains(" ") || word.contains("/") { throw bad(key) }
            return word
        }

        mutating func number<Number: FixedWidthInteger>(_ key: String) throws(Flaw) -> Number {
            let digits = try word(key, longest: 20)
            guard digits.utf8.allSatisfy(\.isDigit), let number = Number(digits) else {
                throw bad(key)
            }
            return number
        }

        /// Nil if missing.
        mutating func port(_ key: String) throws(Flaw) -> UInt16? {
            guard values[Substring(key)] != nil else { return nil }
            let port: UInt16 = try number(key)
            if port == 0 { throw bad(key) }
            return port
        }

        mutating func hex(_ key: String) throws(Flaw) -> UInt64 {
            guard let value = UInt64(hexadecimal: Substring(try word(key, longest: 16))) else {
                throw bad(key)
            }
            return value
        }

        mutating func instance(_ key: String) throws(Flaw) -> ProcessInstance {
            let parts = try text(key, longest: 40).split(separator: " ")
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy(\.isDigit) }),
                let pid = Int32(parts[0]), let time = UInt64(parts[1])
            else { throw bad(key) }
            return ProcessInstance(pid: pid, startTime: time)
        }

        mutating func choice<Choice: RawRepresentable<String>>(
            _ key: String
        ) throws(Flaw) -> Choice {
            guard let choice = Choice(rawValue: try word(key, longest: 32)) else { throw bad(key) }
            return choice
        }

        mutating func address(_ key: String) throws(Flaw) -> ProcessAddress {
            let value = try text(key, longest: ProcessRecord.longestPath)
            if value.hasPrefix("unix /") { return .unix(path: String(value.dropFirst(5))) }
            let parts = value.split(separator: " ")
            guard parts.count == 3, parts[0] == "tcp", let port = UInt16(parts[2]), port > 0
            else { throw bad(key) }
            return .tcp(host: String(parts[1]), port: port)
        }

        /// Fails if anything is left.
        func finish() throws(Flaw) {
            if let key = values.keys.min() {
                throw Flaw(description: "\(PrintableText.quoted(String(key))) is not known")
            }
        }

        private func bad(_ key: String) -> Flaw {
            Flaw(description: "\(key) is missing or not valid")
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}

extension UInt64 {
    /// Lower-case digits only, without a sign.
    fileprivate init?(hexadecimal text: Substring) {
        let isHex = text.utf8.allSatisfy {
            $0.isDigit || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
        }
        guard isHex, let value = UInt64(text, radix: 16) else { return nil }
        self = value
    }
}
