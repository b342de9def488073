internal import Backends
internal import Glibc
internal import Reactor

/// Whose program a new connection to a port has come to.
///
/// A process that has ended, or listens no more, leaves a port that any user of the machine can take
/// before that is known. Unix sockets and external servers cost nothing here, nor do kept connections.
extension Dialer {
    /// Whether nobody else's program has a connection that stands; if one has, nothing is sent to it.
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
            shared.tellOfNoDiagnosis(code)
            return true
        case .user(let user):
            let known = upstreams.pools.listener(of: process, group: group)
            if user == known { return true }
            if user == expected || mayListen(user, process, group: group, known: known) {
                upstreams.pools.setListener(user, of: process, group: group)
                return true
            }
            shared.mishaps.note(
                .portOwner, now: upstreams.now,
                "another program, of the user with the id \(user), listens at \(address.text), which a"
                    + " process of group \(plan.groups[group].name) was told to; it was sent nothing;"
                    + " {socket} in place of {port} cannot be taken like that")
            return false
        }
    }

    /// Whether who listens at a unix socket is the process's user (SO_PEERCRED).
    ///
    /// Where another user can change the entries of its directory, the path may be a link to a socket
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

    /// Processes started before a reload that changed their `user`, and those of root that have become
    /// somebody else.
    private func mayListen(
        _ user: UInt32, _ process: ProcessHandle, group: Int, known: UInt32?
    ) -> Bool {
        // Its readiness, in which the listener was looked for in its tree, has just been found.
        if known == nil, plan.settings.groups[group].portUser == 0 { return true }
        return isUser(user, of: process, group: group)
    }

    private func isUser(_ user: UInt32, of process: ProcessHandle, group: Int) -> Bool {
        guard let pid = plan.groups[group].identity(of: process)?.pid else { return false }
        var status = stat()
        return unsafe stat("/proc/\(pid)", &status) == 0 && status.st_uid == user
    }
}
