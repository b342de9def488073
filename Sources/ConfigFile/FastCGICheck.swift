internal import Settings

/// What of a group does not go with the protocol that its processes speak.
struct FastCGICheck {
    let table: TableReader

    func check(_ group: Configuration.Group) {
        guard group.upstreamProtocol == .fastcgi else {
            if table.peek("fastcgi") != nil {
                table.report(
                    at: "fastcgi", "means something with protocol = \"fastcgi\" only",
                    "add that, or take it out")
            }
            return
        }
        if case .hosted = group.launch?.application {
            table.report(
                at: "protocol", "is \"fastcgi\", which no server of a Python application speaks",
                "take it out")
        }
        if group.servers.contains(where: { $0.tls != nil }) {
            table.report(
                at: "servers", "has https://, and FastCGI knows no TLS", "leave https:// out")
        }
        if let health = group.health, !health.path.isEmpty {
            table.report(
                at: "health", "has a path, which FastCGI processes are not asked for",
                group.launch == nil
                    ? "leave it out and give an interval, to check connections only"
                    : "take it out: they are well as long as they take connections")
        }
        for key in ["env", "pass_env"] where setsChildren(key, group.launch) {
            table.report(
                at: key, "names PHP_FCGI_CHILDREN, by which a process hands its sessions to others",
                "take it out, and say how many processes there are by processes")
        }
    }

    private func setsChildren(_ key: String, _ launch: Configuration.Launch?) -> Bool {
        let name = "PHP_FCGI_CHILDREN"
        guard let launch else { return false }
        return key == "env"
            ? launch.environment[name] != nil : launch.passEnvironment.contains(name)
    }
}
