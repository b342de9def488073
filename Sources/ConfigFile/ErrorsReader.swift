extension Configuration {
    /// One entry of `errors = { 503 = "busy.html" }`: the page for a status, an absolute path.
    package struct ErrorFile: Equatable, Sendable {
        package var status: Int
        package var path: String
        package var place = FileLocation()
    }
}

/// Reads `errors = { … }` of a group or a route.
struct ErrorsReader {
    let folders: Folders
    /// Those that Mooring can answer with here.
    var statuses = ErrorsReader.statusesOfGroups

    /// Statuses that Mooring can generate once a group has been selected.
    static let statusesOfGroups = [408, 413, 429, 431, 502, 503, 504]
    /// The same for a route to files.
    static let statusesOfFiles = [403, 404, 405, 412, 413, 416, 500, 503]

    /// - Parameter base: pages that apply where the table has none.
    func read(
        _ table: TableReader, over base: [Configuration.ErrorFile] = []
    ) -> [Configuration.ErrorFile] {
        guard let entries = table.table("errors") else { return base }
        var files: [Configuration.ErrorFile] = []
        for name in entries.names {
            guard let node = entries.take(name) else { continue }
            guard let status = Int(name), statuses.contains(status) else {
                let known = statuses.map(String.init).joined(separator: ", ")
                entries.problems.add(
                    node, "is no status that Mooring answers with here",
                    "needs one of \(known)")
                continue
            }
            guard let text = entries.text(node, example: "busy.html"),
                let path = folders.path(text, entries.problems)
            else { continue }
            files.append(
                .init(status: status, path: path, place: entries.problems.location(of: node)))
        }
        let own = files.map(\.status)
        return (files + base.filter { !own.contains($0.status) }).sorted { $0.status < $1.status }
    }

    static func entries(_ files: [Configuration.ErrorFile]) -> [KeyEntry] {
        files.map { KeyEntry(name: "\($0.status)", value: TOMLText.quoted($0.path)) }
    }
}
