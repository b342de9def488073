/// One key of a table of the configuration file, as a row of that table's keys.
///
/// Reading, `mooring check --print`, the check for a restart and the reference page all use this
/// row, so a key is added in one place. `Owner` holds the key's value and its default.
package struct Key<Owner>: Sendable {
    package let name: String
    /// The accepted values, and the property that stores them.
    package let value: KeyValue<Owner>
    /// Read once, at startup: a reload logs a change and leaves the running value as it is.
    package let needsRestart: Bool
    /// For users, in a sentence or two: what it does, its unit, when to change it.
    package let help: String

    init(_ name: String, _ value: KeyValue<Owner>, needsRestart: Bool, _ help: String) {
        self.name = name
        self.value = value
        self.needsRestart = needsRestart
        self.help = help
    }

    /// The same key for a type that contains the owner.
    package func at<Root>(_ part: PropertyPath<Root, Owner>) -> Key<Root> {
        Key<Root>(name, value.at(part), needsRestart: needsRestart, help)
    }
}

/// What a key may hold, with the property that it sets.
package enum KeyValue<Owner>: Sendable {
    case integer(Property<Owner, Int>, in: ClosedRange<Int>)
    /// In bytes.
    case size(Property<Owner, Int>, in: ClosedRange<Int>)
    /// In bytes; nil: `"auto"`.
    case automaticSize(Property<Owner, Int?>, in: ClosedRange<Int>)
    case duration(Property<Owner, Interval>, in: ClosedRange<Interval>)
    case boolean(Property<Owner, Bool>)
    case word(Property<Owner, String>, among: [String])

    fileprivate func at<Root>(_ part: PropertyPath<Root, Owner>) -> KeyValue<Root> {
        switch self {
        case .integer(let property, let range): .integer(property.at(part), in: range)
        case .size(let property, let range): .size(property.at(part), in: range)
        case .automaticSize(let property, let range): .automaticSize(property.at(part), in: range)
        case .duration(let property, let range): .duration(property.at(part), in: range)
        case .boolean(let property): .boolean(property.at(part))
        case .word(let property, let words): .word(property.at(part), among: words)
        }
    }
}

/// The key path of the property that a key sets.
package typealias PropertyPath<Root, Value> = any WritableKeyPath<Root, Value> & Sendable

/// The property that stores the value of a key.
package struct Property<Owner, Value>: Sendable {
    package let get: @Sendable (Owner) -> Value
    package let set: @Sendable (inout Owner, Value) -> Void
    /// The path as Swift source writes it; tests look for it.
    package let path: String

    init(_ path: PropertyPath<Owner, Value>) {
        self.init(
            get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 }, path: "\(path)")
    }

    init(
        get: @escaping @Sendable (Owner) -> Value,
        set: @escaping @Sendable (inout Owner, Value) -> Void, path: String
    ) {
        self.get = get
        self.set = set
        self.path = path
    }

    fileprivate func at<Root>(
        _ part: PropertyPath<Root, Owner>
    ) -> Property<Root, Value> {
        Property<Root, Value>(
            get: { [get] in get($0[keyPath: part]) },
            set: { [set] in set(&$0[keyPath: part], $1) }, path: path)
    }
}

extension Interval {
    /// The longest duration that any key accepts: a leap year.
    package static let longest = Interval.seconds(366 * 24 * 3600)
}

/// Shorthands for the tables of rows.
extension Key {
    /// A number.
    package static func integer(
        _ name: String, _ path: PropertyPath<Owner, Int>, in range: ClosedRange<Int>,
        needsRestart: Bool = false, _ help: String
    ) -> Key {
        Key(name, .integer(Property(path), in: range), needsRestart: needsRestart, help)
    }

    /// An amount of bytes.
    package static func size(
        _ name: String, _ path: PropertyPath<Owner, Int>, in range: ClosedRange<Int>,
        _ help: String
    ) -> Key {
        Key(name, .size(Property(path), in: range), needsRestart: false, help)
    }

    /// An amount of bytes, or `"auto"`.
    package static func automaticSize(
        _ name: String, _ path: PropertyPath<Owner, Int?>, in range: ClosedRange<Int>,
        _ help: String
    ) -> Key {
        Key(name, .automaticSize(Property(path), in: range), needsRestart: false, help)
    }

    /// A span of time, unbounded below unless `atLeast` is given.
    package static func duration(
        _ name: String, _ path: PropertyPath<Owner, Interval>,
        atLeast least: Interval = .milliseconds(1), _ help: String
    ) -> Key {
        Key(name, .duration(Property(path), in: least...(.longest)), needsRestart: false, help)
    }

    /// A span of time where zero means no bound.
    package static func duration(
        _ name: String, orNone path: PropertyPath<Owner, Interval?>, _ help: String
    ) -> Key {
        let property = Property<Owner, Interval>(
            get: { $0[keyPath: path] ?? .zero },
            set: { $0[keyPath: path] = $1 > .zero ? $1 : nil }, path: "\(path)")
        return Key(name, .duration(property, in: .zero...(.longest)), needsRestart: false, help)
    }

    /// A flag.
    package static func boolean(
        _ name: String, _ path: PropertyPath<Owner, Bool>, _ help: String
    ) -> Key {
        Key(name, .boolean(Property(path)), needsRestart: false, help)
    }

    /// One of a few words.
    package static func word<Choice: RawRepresentable<String> & Sendable>(
        _ name: String, _ path: PropertyPath<Owner, Choice>, among choices: [Choice],
        needsRestart: Bool = false, _ help: String
    ) -> Key {
        let property = Property<Owner, String>(
            get: { $0[keyPath: path].rawValue },
            set: { $0[keyPath: path] = Choice(rawValue: $1) ?? $0[keyPath: path] },
            path: "\(path)")
        return Key(
            name, .word(property, among: choices.map(\.rawValue)), needsRestart: needsRestart, help)
    }
}
