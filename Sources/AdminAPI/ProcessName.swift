/// A process as people name it: by its label, or a prefix of it, as `mooring run` shows it.
package struct ProcessName: Sendable {
    /// Shorter prefixes would often be ambiguous.
    package static let shortest = 4

    private let given: String

    package init(_ given: String) { self.given = given }

    /// The label that is meant.
    ///
    /// - Throws: `AdminRefusal` when none matches, or several do.
    package func find(in labels: [String]) throws(AdminRefusal) -> String {
        if labels.contains(given), !given.isEmpty { return given }
        // The label of a server is its address, which must be given in full.
        let found = labels.filter { !$0.contains(":") && $0.hasPrefix(given) }
        guard given.utf8.count >= Self.shortest, let first = found.first else {
            throw .noSuchProcess(given)
        }
        guard found.count == 1 else { throw .severalProcesses(found.sorted()) }
        return first
    }
}
