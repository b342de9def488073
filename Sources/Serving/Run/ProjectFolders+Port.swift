internal import FoundationEssentials

/// The last port of a project: its cookies and its visitors' tabs depend on it.
extension ProjectFolders {
    private var portFile: String { "\(state)/port" }

    /// The previous run's port; nil: unknown.
    var lastPort: UInt16? {
        guard let text = try? String(contentsOfFile: portFile, encoding: .utf8) else { return nil }
        return UInt16(text.filter { $0 != "\n" })
    }

    /// Records the port for the next run.
    func remember(port: UInt16) throws {
        if lastPort == port { return }
        try PrivateFiles.prepareFolder(state, setting: "$STATE_DIRECTORY")
        // Without it the next run searches a free port again.
        try? "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8)
    }
}
