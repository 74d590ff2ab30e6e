// What a checkpoint's pickle may hold.
// SPDX-License-Identifier: Apache-2.0

/// A value built by the pickle reader. There is no case for code: nothing can be run.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    /// Bytes that nothing here needs.
    case opaque
    case tuple(PickleNode)
    case list(PickleNode)
    case dictionary(PickleNode)
    case global(PickleGlobal)
    case storage(PickleStorage)
    case tensor(PickleTensor)
}

/// A container with identity: the pickle's memo refers to one while it is still being filled.
final class PickleNode {
    /// Items of a tuple or list; values of a dictionary.
    var items: [PickleValue]
    /// Keys of a dictionary, one per item.
    var keys: [PickleValue] = []

    init(_ items: [PickleValue] = []) { self.items = items }
}

/// The Python names a checkpoint may refer to. Everything else is refused.
enum PickleGlobal: Equatable {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storageType(StorageType)

    /// A typed storage; `dtype` is nil for types that no tensor here has.
    struct StorageType: Equatable {
        var name: String
        var dtype: DType?
    }

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "FloatStorage"): self = .storageType(.init(name: name, dtype: .float32))
        case ("torch", "HalfStorage"): self = .storageType(.init(name: name, dtype: .float16))
        case ("torch", "BFloat16Storage"): self = .storageType(.init(name: name, dtype: .bfloat16))
        case ("torch", "LongStorage"): self = .storageType(.init(name: name, dtype: .int64))
        case ("torch", "IntStorage"): self = .storageType(.init(name: name, dtype: .int32))
        case ("torch", "ByteStorage"): self = .storageType(.init(name: name, dtype: .uint8))
        case ("torch", "DoubleStorage"), ("torch", "BoolStorage"), ("torch", "CharStorage"),
            ("torch", "ShortStorage"):
            self = .storageType(.init(name: name, dtype: nil))
        default: return nil
        }
    }
}

/// A reference to a member of the zip file.
struct PickleStorage {
    var type: PickleGlobal.StorageType
    var key: String
    /// Elements.
    var count: Int
}

/// A view of a storage; its numbers are as written, still to be checked.
struct PickleTensor {
    var storage: PickleStorage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
}
