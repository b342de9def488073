/// A process as people name it: by its label, or the beginning of that, as `mooring run` shows it.
package struct ProcessName: Sendable {
    /// Less would often be true of several.
    package static let shortest = 4

    private let given: String

    package init(_ given: String) { self.given = given }

    /// Which of the labels is meant.
    ///
    /// - Throws: `AdminRefusal` when it is none, or not certain.
    package func find(in labels: [String]) throws(AdminRefusal) -> String {
        if labels.contains(given), !given.isEmpty { return given }
        // The label of a server is its address, which is given as a whole.
        let found = labels.filter { !$0.contains(":") && $0.hasPrefix(given) }
        guard given.utf8.count >= Self.shortest, let first = found.first else {
            throw .noSuchProcess(given)
        }
        guard found.count == 1 else { throw .severalProcesses(found.sorted()) }
        return first
    }
}
