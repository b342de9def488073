internal import Backends
internal import Glibc
internal import Reactor

/// The owner of the program at the other end of a new TCP connection.
///
/// A process that has exited, or closed its listener, leaves a port that any user of the machine
/// can bind before Mooring knows. Unix sockets, external servers and kept connections need no
/// check.
extension Dialer {
    /// Whether an established connection reaches the process's own user; otherwise nothing is sent
    /// on it.
    func isOfItsProcess(_ entry: Int) -> Bool {
        let group = Int(upstreams[entry].group)
        let process = upstreams[entry].process
        guard let expected = plan.settings.groups[group].portUser,
            let address = upstreams.pools.address(of: process, group: group), !address.isUnix,
            let socket = upstreams[entry].transport?.socket
        else { return true }
        switch diagnosis.user(of: socket) {
        case .noPeer: return true
        case .unavailable(let code):
            shared.logMissingDiagnosis(code)
            return true
        case .user(let user):
            let known = upstreams.pools.listener(of: process, group: group)
            if user == known { return true }
            if user == expected || mayListen(user, process, group: group, known: known) {
                upstreams.pools.setListener(user, of: process, group: group)
                return true
            }
            shared.logThrottle.note(
                .portOwner, now: upstreams.now,
                "another program, of the user with the id \(user), listens at \(address.text), which a"
                    + " process of group \(plan.groups[group].name) should use; nothing was sent to it;"
                    + " {socket} in place of {port} cannot be taken like that")
            return false
        }
    }

    /// Whether the listener of a unix socket is the process's user (SO_PEERCRED).
    ///
    /// If another user can change the entries of its directory, the path may be a link to a socket
    /// that this program may connect to and that user may not.
    func isOfItsUser(_ socket: StreamSocket, _ process: ProcessHandle, group: Int) -> Bool {
        guard let expected = plan.settings.groups[group].socketUser else { return true }
        let user = socket.peerUser()
        if user == expected { return true }
        guard let user else { return false }
        if user == upstreams.pools.listener(of: process, group: group) { return true }
        guard isUser(user, of: process, group: group) else { return false }
        upstreams.pools.setListener(user, of: process, group: group)
        return true
    }

    /// Exempts processes started before a reload changed their `user`, and root's that have changed
    /// their user since.
    private func mayListen(
        _ user: UInt32, _ process: ProcessHandle, group: Int, known: UInt32?
    ) -> Bool {
        // The listener was just found in the process's tree, when it became ready.
        if known == nil, plan.settings.groups[group].portUser == 0 { return true }
        return isUser(user, of: process, group: group)
    }

    private func isUser(_ user: UInt32, of process: ProcessHandle, group: Int) -> Bool {
        guard let pid = plan.groups[group].identity(of: process)?.pid else { return false }
        var status = stat()
        return unsafe stat("/proc/\(pid)", &status) == 0 && status.st_uid == user
    }
}
