internal import Backends
internal import Settings

extension ProcessRecord {
    /// The lines of a record by their keys, taken out one after the other.
    struct Fields {
        private var values: [Substring: Substring] = [:]
        private(set) var sessions = RememberedSessions()
        private static let mostKeys = 48

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

        /// Nil where there is none.
        mutating func port(_ key: String) throws(Flaw) -> UInt16? {
            let port: UInt16? = try optional(key)
            if port == 0 { throw bad(key) }
            return port
        }

        func has(_ key: String) -> Bool { values[Substring(key)] != nil }

        mutating func optional<Number: FixedWidthInteger>(
            _ key: String
        ) throws(Flaw) -> Number? {
            has(key) ? try number(key) : nil
        }

        /// Nil where it does not stand.
        mutating func flag(_ key: String) throws(Flaw) -> Bool? {
            guard let number: Int = try optional(key) else { return nil }
            guard number == 0 || number == 1 else { throw bad(key) }
            return number == 1
        }

        /// An absolute one; nil where there is none.
        mutating func path(_ key: String) throws(Flaw) -> String? {
            guard has(key) else { return nil }
            let path = try text(key, longest: ProcessRecord.longestPath)
            guard path.hasPrefix("/") else { throw bad(key) }
            return path
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

        /// Nothing may be left.
        func finish() throws(Flaw) {
            if let key = values.keys.min() {
                throw Flaw(description: "\(PrintableText.quoted(String(key))) is not known")
            }
        }

        func bad(_ key: String) -> Flaw {
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
