/// How the processes of a group are spoken to.
package enum UpstreamProtocol: String, Equatable, Sendable, CaseIterable {
    /// HTTP/1.1.
    case http
    case fastcgi
}

/// Where a FastCGI group's scripts are, and which parameters its processes receive.
package struct FastCGIPolicy: Equatable, Sendable {
    /// The folder of the scripts, absolute; empty: there is none, as programs that are no interpreters need.
    package var root = ""
    /// The script of a folder; what ends like its name is a script.
    package var index = "index.php"
    /// The one script for all paths, absolute; empty: the path tells which.
    package var script = ""
    /// More parameters, which win over those of the same names.
    package var parameters: [String: String] = [:]

    package init() {}

    /// Scripts are looked for in `root`.
    package var findsScripts: Bool { !root.isEmpty && script.isEmpty }
}
