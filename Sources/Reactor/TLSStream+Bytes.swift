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
        return transfer(result, sent)
    }

    /// Reads one record, or a part of it.
    package func receive(into scratch: inout [UInt8]) -> Transfer {
        var got = 0
        ERR_clear_error()
        errno = 0
        let result = unsafe scratch.withUnsafeMutableBytes { room in
            unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &got)
        }
        return transfer(result, got)
    }

    private func transfer(_ result: Int32, _ count: Int) -> Transfer {
        if result == 1 { return .moved(count) }
        let failure = errno
        return Self.failure(unsafe SSL_get_error(ssl, result), failure)
    }
}
