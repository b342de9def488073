internal import ConfigFile
internal import Glibc
internal import Reactor
internal import Settings

/// The scripts of FastCGI groups, which Mooring looks for before their processes do.
extension Preflight {
    mutating func checkScripts() {
        for group in configuration.groups where group.upstreamProtocol == .fastcgi {
            let table = ["group", group.name, "fastcgi"]
            guard group.fastCGI.findsScripts, !isKnown(table, ["root"]) else { continue }
            let root = group.fastCGI.root
            var status = stat()
            if unsafe stat(root, &status) != 0 {
                warn(
                    table + ["root"],
                    "\(root) cannot be looked into: \(SystemError.message(errno)); without it every"
                        + " request is answered 404; scripts on another machine need fastcgi.script"
                )
            } else if status.st_mode & S_IFMT != S_IFDIR {
                report(table + ["root"], "\(root) is no folder; name the one with the scripts")
            }
        }
    }
}
