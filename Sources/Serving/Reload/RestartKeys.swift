internal import ConfigFile
internal import Settings

extension Configuration {
    /// The keys that differ and are read once, at the start.
    func keysThatNeedRestart(comparedTo old: Configuration) -> [String] {
        var keys: [String] = []
        if workers != old.workers { keys.append("workers") }
        if stateDirectory != old.stateDirectory { keys.append("state_dir") }
        if runtimeDirectory != old.runtimeDirectory { keys.append("runtime_dir") }
        if admin.address != old.admin.address { keys.append("admin.address") }
        var oldLog = old.log
        oldLog.access.format = log.access.format
        if log != oldLog { keys.append("log") }
        if limits.connections != old.limits.connections { keys.append("limits.connections") }
        return keys
    }
}
