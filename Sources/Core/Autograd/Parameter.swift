// A trainable tensor with a name. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A weight of a model: it has a name, is loaded, trained and saved, so identity is real.
///
/// The name is exactly the public checkpoint's key.
public final class Parameter: @unchecked Sendable {
    /// The checkpoint key.
    public let name: String
    let leafNode = GradientNode()
    private let lock = NSLock()
    private var stored: Tensor
    private var trainable: Bool

    /// Creates a parameter; frozen until ``isTrainable`` is set.
    public init(name: String, value: Tensor, isTrainable: Bool = false) {
        self.name = name
        self.stored = value.detached()
        self.trainable = isTrainable
    }

    /// The value without history.
    public var value: Tensor {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue.detached() } }
    }

    /// Whether operations on ``tensor`` are recorded.
    ///
    /// A parameter that becomes trainable gets memory of its own, float32: optimisers update it in
    /// place, and it may lie in a mapped checkpoint or be shared until then.
    public var isTrainable: Bool {
        get { lock.withLock { trainable } }
        set {
            lock.withLock {
                if newValue && !trainable {
                    stored =
                        stored.dtype == .float32 ? stored.copied() : stored.cast(to: .float32)
                }
                trainable = newValue
            }
        }
    }

    /// The value as a model uses it: a leaf while trainable.
    public var tensor: Tensor {
        lock.withLock { trainable ? stored.with(node: leafNode) : stored }
    }

    /// The extent of every dimension.
    public var shape: [Int] { value.shape }
}
