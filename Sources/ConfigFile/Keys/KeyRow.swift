internal import Settings

/// The tables that may hold a key, from the outermost inwards.
enum KeyScope: Int, Comparable {
    case file
    case group
    case route

    static func < (left: KeyScope, right: KeyScope) -> Bool { left.rawValue < right.rawValue }
}

/// One key of a table of the file, with everything that depends on it.
///
/// A plain key comes from a `Key`. A key that needs its own reader (a path, a list, a table)
/// defines here how it is read and printed.
struct KeyRow<Owner>: Sendable {
    let name: String
    /// The accepted values, for the reference.
    let type: String
    /// The default, for the reference; nil: as an owner with default values prints it.
    var standard: String?
    var help: String
    /// Read once, at startup.
    var needsRestart = false
    /// The innermost table that may hold it.
    var scope = KeyScope.route
    /// Nil: processes are not started with it.
    var launch: LaunchPart<Owner>?
    /// Sets the owner's property, or records a problem; nil: the table's reader takes the key
    /// itself, since other keys depend on it.
    var read: (@Sendable (inout Owner, TableReader, Folders) -> Void)?
    /// Prints the value; returns nil to leave the key out.
    var text: @Sendable (Owner) -> KeyText?

    /// A key with a reader of its own.
    init(
        _ name: String, type: String, standard: String? = nil, needsRestart: Bool = false,
        _ help: String, launch: LaunchPart<Owner>? = nil,
        read: (@Sendable (inout Owner, TableReader, Folders) -> Void)? = nil,
        text: @escaping @Sendable (Owner) -> KeyText? = { _ in nil }
    ) {
        self.name = name
        self.type = type
        self.standard = standard
        self.needsRestart = needsRestart
        self.help = help
        self.launch = launch
        self.read = read
        self.text = text
    }

    /// A plain key.
    init(
        _ key: Key<Owner>, standard: String? = nil, scope: KeyScope = .route,
        launch: LaunchPart<Owner>? = nil
    ) {
        let name = key.name
        switch key.value {
        case .integer(let property, let range):
            self.init(
                name, type: "number, \(range.lowerBound) to \(range.upperBound)", key.help,
                read: { owner, table, _ in
                    if let value = table.integer(name, in: range) { property.set(&owner, value) }
                }, text: { .value("\(property.get($0))") })
        case .size(let property, let range):
            self.init(
                name, type: "size, \(SizeText.span(range))", key.help,
                read: { owner, table, _ in
                    if let value = table.size(name, in: range) { property.set(&owner, value) }
                }, text: { .text(SizeText.text(of: property.get($0))) })
        case .automaticSize(let property, let range):
            self.init(
                name, type: "`\"auto\"`, or a size, \(SizeText.span(range))", key.help,
                read: { owner, table, _ in
                    if let value = table.sizeOrAuto(name, in: range) { property.set(&owner, value) }
                }, text: { .text(property.get($0).map(SizeText.text) ?? "auto") })
        case .duration(let property, let range):
            self.init(
                name, type: "duration, \(DurationText.span(range))", key.help,
                read: { owner, table, _ in
                    let span = table.duration(
                        name, atLeast: range.lowerBound, atMost: range.upperBound)
                    if let span { property.set(&owner, span) }
                }, text: { .text(DurationText.text(of: property.get($0))) })
        case .boolean(let property):
            self.init(
                name, type: "`true` or `false`", key.help,
                read: { owner, table, _ in
                    if let value = table.boolean(name) { property.set(&owner, value) }
                }, text: { .value("\(property.get($0))") })
        case .word(let property, let words):
            let quoted = words.map { "`\(TOMLText.quoted($0))`" }
            self.init(
                name, type: quoted.joined(separator: ", "), key.help,
                read: { owner, table, _ in
                    if let word = table.word(name, among: words) { property.set(&owner, word) }
                }, text: { .text(property.get($0)) })
        }
        self.standard = standard
        self.scope = scope
        self.launch = launch
        needsRestart = key.needsRestart
    }

    /// The key for a type that contains the owner; the containing table's reader reads it.
    func at<Root>(_ part: PropertyPath<Root, Owner>, named name: String) -> KeyRow<Root> {
        var row = KeyRow<Root>(
            name, type: type, standard: standard, needsRestart: needsRestart, help)
        row.text = { [text] root in text(root[keyPath: part]) }
        return row
    }
}

/// A key's contribution to the fingerprint of what processes are started with.
///
/// State files hold fingerprints, and processes must survive an upgrade of Mooring: never change a
/// position or what is added there. A new key takes a position behind all others, and adds nothing
/// while it has its default.
struct LaunchPart<Owner>: Sendable {
    let position: Int
    /// The second argument is the whole environment that the processes get.
    let add: @Sendable (Owner, [String: String], inout StableHash) -> Void

    init(
        _ position: Int,
        _ add: @escaping @Sendable (Owner, [String: String], inout StableHash) -> Void
    ) {
        self.position = position
        self.add = add
    }

    /// For a key whose value another key's part adds.
    static var elsewhere: LaunchPart { LaunchPart(.max) { _, _, _ in } }
}

extension TableReader {
    /// Reads all keys of the table except those that its reader takes itself.
    func read<Owner>(_ rows: [KeyRow<Owner>], into owner: inout Owner, _ folders: Folders) {
        for row in rows { row.read?(&owner, self, folders) }
    }
}
