// Many tensors cut into pieces of one size, for kernels that work on all of them at once.
// SPDX-License-Identifier: Apache-2.0

/// The pieces of a list of tensors: which tensor, and the first element.
struct CUDAPieces {
    /// Elements of a piece; a whole number of 16-byte words.
    static let size = 16_384

    let counts: [Int64]
    /// Tensor and first element, alternately.
    let entries: [Int64]

    init(counts: [Int]) {
        self.counts = counts.map(Int64.init)
        var entries: [Int64] = []
        for (tensor, count) in counts.enumerated() {
            for start in stride(from: 0, to: count, by: Self.size) {
                entries.append(Int64(tensor))
                entries.append(Int64(start))
            }
        }
        self.entries = entries
    }

    /// Pieces in all.
    var count: Int { entries.count / 2 }
}

extension CUDADevice {
    /// Tables as kernels over many tensors read them.
    struct PieceTables {
        var addresses: Tensor
        var counts: Tensor
        var pieces: Tensor
    }

    /// Sends the tables of a launch over many tensors.
    ///
    /// - Parameter addresses: of each tensor, one or several; 0 for none.
    func upload(
        _ pieces: CUDAPieces, addresses: [[UnsafeMutableRawPointer?]]
    ) -> PieceTables {
        for address in addresses.joined() {
            let value = UInt64(UInt(bitPattern: address))
            if !CUDAMemory.isReal(value) { fail(.neverComputed(operation: "an optimiser step")) }
        }
        return PieceTables(
            addresses: int64Table(addresses.joined().map { Int64(Int(bitPattern: $0)) }),
            counts: int64Table(pieces.counts), pieces: int64Table(pieces.entries))
    }

    func int64Table(_ values: [Int64]) -> Tensor {
        let table = Tensor.empty([values.count], dtype: .int64, device: self)
        values.withUnsafeBytes { upload($0, to: table.storage) }
        return table
    }

    /// Tensors whose addresses a captured launch reads from a table.
    func keepForCapture(_ tensors: [Tensor]) {
        lock.withLock {
            guard let capture else { return }
            for tensor in tensors { capture.touch(tensor.storage, memory) }
        }
    }
}
