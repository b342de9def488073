internal import ConfigFile

extension Configuration {
    /// The changed keys that are read once, at startup.
    func keysThatNeedRestart(comparedTo old: Configuration) -> [String] {
        var names: [String] = []
        for key in Self.keysReadOnce where key.value(self) != key.value(old) {
            // The log is opened as a whole.
            let name = key.name.hasPrefix("log.") ? "log" : key.name
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}
