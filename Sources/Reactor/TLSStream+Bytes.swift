internal import COpenSSL
internal import Glibc

/// For small messages that are in no block.
extension TLSStream {
    /// Sends as much as the socket accepts; after `wouldBlock` the next call must pass the same
    /// bytes again.
    package func send(_ bytes: ArraySlice<UInt8>) -> Transfer {
        var sent = 0
        ERR_clear_error()
        errno = 0
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &sent)
        }
        if result == 1 { return .moved(sent) }
        let failure = errno
        return Self.failure(unsafe SSL_get_error(ssl, result), failure)
    }

    /// Reads one record, or a part of it.
    package func receive(into scratch: inout [UInt8]) -> Transfer {
        var got = 0
        ERR_clear_error()
        errno = 0
        let result = unsafe scratch.withUnsafeMutableBytes { room in
            unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &got)
        }
        if result == 1 { return .moved(got) }
        let failure = errno
        let reason = unsafe SSL_get_error(ssl, result)
        return Self.failure(reason, failure)
    }
}
