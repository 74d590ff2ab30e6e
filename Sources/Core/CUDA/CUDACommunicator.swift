// Several GPUs in step, by NCCL. SPDX-License-Identifier: Apache-2.0
import CCUDA
import Foundation

/// The processes of one training job, one GPU each.
///
/// The first process writes NCCL's identity into a file that the others wait for; give all of them
/// one folder that they share.
public final class CUDACommunicator: ProcessGroup, @unchecked Sendable {
    /// This process's place.
    public let rank: ProcessRank
    private let device: CUDADevice
    private let communicator: UnsafeMutableRawPointer

    /// Joins the job; every process of it must do so.
    ///
    /// - Parameters:
    ///   - identityPath: a file that all processes see and that is not there before.
    ///   - seconds: how long to wait for the first process.
    /// - Throws: ``CUDAError``.
    public init(
        _ rank: ProcessRank, device: CUDADevice, identityPath: String, seconds: Double = 120
    ) throws(CUDAError) {
        try CUDALibrary.communication.open()
        var identity = [UInt8](repeating: 0, count: Int(CCUDA_NCCL_ID_SIZE))
        if rank.rank == 0 {
            try Self.check(ccuda_nccl_unique_id(&identity), "name the job")
            do {
                try AtomicWrite.write(identity, to: identityPath)
            } catch {
                throw .failed(operation: "name the job", reason: "\(error)")
            }
        } else {
            identity = try Self.awaitIdentity(identityPath, seconds: seconds)
        }
        var made: UnsafeMutableRawPointer?
        let joined: Void? = device.perform { () throws(CUDAError) in
            try Self.check(
                ccuda_nccl_create(&made, Int32(rank.size), identity, Int32(rank.rank)),
                "join \(rank.size) processes as number \(rank.rank)")
        }
        guard joined != nil, let made else {
            throw .failed(
                operation: "join \(rank.size) processes as number \(rank.rank)",
                reason: "NCCL refused; set NCCL_DEBUG=INFO to see why")
        }
        // Everybody has read it once everybody has joined.
        if rank.rank == 0 { try? FileManager.default.removeItem(atPath: identityPath) }
        self.rank = rank
        self.device = device
        communicator = made
    }

    deinit { _ = ccuda_nccl_destroy(communicator) }

    /// Every tensor becomes its mean over all processes, in place.
    ///
    /// - Precondition: contiguous float32, the same list of shapes in every process.
    public func average(_ tensors: [Tensor]) {
        device.perform { () throws(CUDAError) in
            try Self.check(ccuda_nccl_group_start(), "begin averaging")
            for tensor in tensors {
                let address =
                    try tensor.storage.deviceAddress("average") + UInt64(4 * tensor.offset)
                try Self.check(
                    ccuda_nccl_average(
                        address, address, tensor.count, communicator, device.stream),
                    "average gradients")
            }
            try Self.check(ccuda_nccl_group_end(), "average gradients")
        }
        for tensor in tensors { device.written(tensor) }
    }

    /// The tensors of all processes joined along the first axis, in the order of ranks.
    public func gathered(_ tensor: Tensor) -> Tensor {
        let own = tensor.contiguous()
        var shape = own.shape
        shape[0] *= rank.size
        let result = Tensor.empty(shape, dtype: own.dtype, device: device)
        device.perform { () throws(CUDAError) in
            let size = own.dtype.byteCount
            let from = try own.storage.deviceAddress("gather") + UInt64(size * own.offset)
            let to = try result.storage.deviceAddress("gather")
            try Self.check(
                ccuda_nccl_gather(from, to, own.count * size, communicator, device.stream),
                "gather")
        }
        return result
    }

    /// Every tensor becomes that of the first process.
    public func broadcast(_ tensors: [Tensor]) {
        device.perform { () throws(CUDAError) in
            for tensor in tensors {
                let size = tensor.dtype.byteCount
                let address =
                    try tensor.storage.deviceAddress("broadcast") + UInt64(size * tensor.offset)
                try Self.check(
                    ccuda_nccl_broadcast(
                        address, tensor.count * size, 0, communicator, device.stream),
                    "send weights")
            }
        }
        for tensor in tensors { device.written(tensor) }
    }

    private static func awaitIdentity(
        _ path: String, seconds: Double
    ) throws(CUDAError) -> [UInt8] {
        let deadline = ProcessInfo.processInfo.systemUptime + seconds
        // One that an earlier job left behind is older than this process.
        let oldest = Date(timeIntervalSinceNow: -60)
        while ProcessInfo.processInfo.systemUptime < deadline {
            if let data = FileManager.default.contents(atPath: path),
                data.count == Int(CCUDA_NCCL_ID_SIZE),
                let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let written = attributes[.modificationDate] as? Date, written >= oldest
            {
                return [UInt8](data)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw .failed(
            operation: "join the other processes",
            reason: "process 0 did not write \(path) within \(Int(seconds)) s")
    }

    private static func check(_ status: Int32, _ operation: String) throws(CUDAError) {
        guard status != 0 else { return }
        throw .failed(
            operation: operation, reason: String(cString: ccuda_nccl_error_text(status)))
    }
}
