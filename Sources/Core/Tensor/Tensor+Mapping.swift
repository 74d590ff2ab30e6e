// Tensors that lie in a mapped checkpoint. SPDX-License-Identifier: Apache-2.0

extension Tensor {
    /// A tensor over a checkpoint's mapped bytes: nothing is read until a kernel touches it.
    ///
    /// Devices with memory of their own get a copy. On the CPU the file stays mapped for as long as the tensor's storage lives. Misaligned tensors (possible
    /// in hand-made files) are copied. The memory is read-only; trainable parameters copy it first.
    public init(record: TensorRecord, device: any Device = currentDevice) {
        let file = record.file
        let bytes = record.bytes
        guard device is CPUDevice, record.isAligned, let base = bytes.baseAddress else {
            let storage = device.allocate(byteCount: bytes.count)
            device.upload(bytes, to: storage)
            self.init(
                storage: storage, dtype: record.dtype, shape: record.shape,
                strides: record.strides)
            return
        }
        // Kernels never write a storage that they did not allocate, so dropping const is sound.
        let storage = Storage(
            address: UnsafeMutableRawPointer(mutating: base), byteCount: bytes.count,
            device: device
        ) { _, _ in _ = file }
        self.init(
            storage: storage, dtype: record.dtype, shape: record.shape, strides: record.strides)
    }
}

extension TensorArchive {
    /// All tensors by name, mapped.
    public func tensors(device: any Device = currentDevice) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: records.map { ($0.name, Tensor(record: $0, device: device)) })
    }
}
