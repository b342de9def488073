internal import Glibc

/// A user with the groups of its processes, looked up before the fork.
///
/// The user database may be a network service, which cannot be queried between fork and exec.
package struct Account: Sendable, Equatable {
    /// For `USER` and `LOGNAME`.
    package var name: String
    package var user: UInt32
    package var group: UInt32
    /// Supplementary groups; `group` may be among them.
    package var supplementaryGroups: [UInt32]
    /// For `HOME`.
    package var home: String
    /// For `SHELL`.
    package var shell: String

    package init(
        name: String, user: UInt32, group: UInt32, supplementaryGroups: [UInt32], home: String,
        shell: String
    ) {
        self.name = name
        self.user = user
        self.group = group
        self.supplementaryGroups = supplementaryGroups
        self.home = home
        self.shell = shell
    }

    /// Looks a user up by name or number; see getpwnam(3) and getgrouplist(3).
    ///
    /// - Parameters:
    ///   - group: replaces the user's own; a name or number. Required for a number without a user.
    ///   - supplementary: groups in addition to the user's; names or numbers.
    /// - Throws: `AccountError`, which names what is unknown.
    package static func find(
        user: String, group: String? = nil, supplementary: [String] = []
    ) throws(AccountError) -> Account {
        var account = try entry(user, needsGroup: group == nil)
        if let group { account.group = try groupNumber(group) }
        account.supplementaryGroups = memberships(of: account.name, besides: account.group)
        var unknown: [String] = []
        for name in supplementary {
            let number: UInt32
            do {
                number = try groupNumber(name)
            } catch {
                guard case .unknownGroups(let names) = error else { throw error }
                unknown += names
                continue
            }
            if !account.supplementaryGroups.contains(number) {
                account.supplementaryGroups.append(number)
            }
        }
        if !unknown.isEmpty { throw .unknownGroups(unknown) }
        return account
    }

    private static func entry(_ user: String, needsGroup: Bool) throws(AccountError) -> Account {
        let number = UInt32(user)
        // setresuid(2) takes -1 for "leave unchanged".
        if user.isEmpty || user.utf8.contains(0) || number == .max { throw .unknownUser(user) }
        let found = try unsafe lookUp(user) { (record: inout passwd, buffer, size, result) in
            if let number {
                return unsafe getpwuid_r(number, &record, buffer, size, &result)
            }
            return unsafe getpwnam_r(user, &record, buffer, size, &result)
        } read: { record in
            unsafe Account(
                name: String(cString: record.pw_name), user: record.pw_uid, group: record.pw_gid,
                supplementaryGroups: [], home: String(cString: record.pw_dir),
                shell: String(cString: record.pw_shell))
        }
        if let found { return found }
        guard let number else { throw .unknownUser(user) }
        if needsGroup { throw .numberWithoutGroup(user) }
        return Account(
            name: user, user: number, group: number, supplementaryGroups: [], home: "/",
            shell: "/bin/sh")
    }

    private static func groupNumber(_ name: String) throws(AccountError) -> UInt32 {
        if let number = UInt32(name), number != .max { return number }
        if name.isEmpty || name.utf8.contains(0) { throw .unknownGroups([name]) }
        let number = try unsafe lookUp(name) { (record: inout group, buffer, size, result) in
            unsafe getgrnam_r(name, &record, buffer, size, &result)
        } read: { record in
            unsafe record.gr_gid
        }
        guard let number else { throw .unknownGroups([name]) }
        return number
    }

    /// The user's groups in the user database, including the given one.
    private static func memberships(of name: String, besides group: UInt32) -> [UInt32] {
        var capacity: Int32 = 64
        // Twice is enough unless the user joins groups meanwhile; NGROUPS_MAX is 65536.
        for _ in 0..<4 {
            var groups = [gid_t](repeating: 0, count: Int(capacity))
            var count = capacity
            if unsafe getgrouplist(name, group, &groups, &count) >= 0 {
                return Array(groups.prefix(Int(max(count, 0))))
            }
            capacity = min(max(count, capacity &* 2), 65_536)
        }
        return [group]
    }

    /// Calls one of the reentrant look-ups with a buffer that grows until the record fits.
    ///
    /// - Returns: nil when there is no such record.
    private static func lookUp<Record, Value>(
        _ name: String,
        _ call: (
            inout Record, UnsafeMutablePointer<CChar>, Int, inout UnsafeMutablePointer<Record>?
        ) -> Int32,
        read: (Record) -> Value
    ) throws(AccountError) -> Value? {
        var size = 4096
        while true {
            let record = UnsafeMutablePointer<Record>.allocate(capacity: 1)
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer {
                unsafe record.deallocate()
                unsafe buffer.deallocate()
            }
            unsafe UnsafeMutableRawPointer(record).initializeMemory(
                as: UInt8.self, repeating: 0, count: MemoryLayout<Record>.size)
            var result: UnsafeMutablePointer<Record>?
            let code = unsafe call(&record.pointee, buffer, size, &result)
            if unsafe result != nil { return unsafe read(record.pointee) }
            switch code {
            case ERANGE where size < 1 << 20: size *= 4
            // The "not found" values of getpwnam(3), besides 0.
            case 0, ENOENT, ESRCH, EBADF, EPERM: return nil
            default: throw .lookUp(name, errno: code)
            }
        }
    }
}
