// A canvas larger than the model's pictures, filled window by window.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Everything painted so far, and the window of the model's size that is edited now.
nonisolated struct LargeCanvas: Sendable, Equatable {
    enum Direction: Sendable, CaseIterable {
        case left, right, up, down
    }

    private(set) var image: RGBImage
    /// Which pixels are there: `true` = still to be painted.
    private(set) var missing: PixelMask
    /// The window's corner.
    private(set) var x = 0
    private(set) var y = 0
    /// The window's side.
    let side: Int

    /// Pixels along a side at most.
    static let limit = 4096

    init(_ source: RGBImage) {
        image = source
        missing = PixelMask(width: source.width, height: source.height)
        side = source.width
    }

    /// Moves the window half of its side over, and lets the canvas grow where it leaves it; nil at
    /// the largest size.
    func moved(_ direction: Direction) -> LargeCanvas? {
        var (newX, newY) = (x, y)
        let half = max(1, side / 2)
        switch direction {
        case .left: newX -= half
        case .right: newX += half
        case .up: newY -= half
        case .down: newY += half
        }
        let left = max(0, -newX)
        let top = max(0, -newY)
        let width = max(image.width + left, newX + left + side)
        let height = max(image.height + top, newY + top + side)
        guard width <= Self.limit, height <= Self.limit else { return nil }
        var copy = self
        if width != image.width || height != image.height {
            let mean = image.borderMean
            copy.image = RGBImage(
                width: width, height: height, red: mean.red, green: mean.green, blue: mean.blue)
            copy.image.copy(image, x: left, y: top)
            copy.missing = PixelMask(width: width, height: height, filledWith: true)
            for row in 0..<image.height {
                for column in 0..<image.width {
                    copy.missing[column + left, row + top] = missing[column, row]
                }
            }
        }
        copy.x = newX + left
        copy.y = newY + top
        return copy
    }

    /// The pixels of the window; what is missing has the mean colour of the border it grew from.
    var window: RGBImage {
        var part = RGBImage(width: side, height: side)
        for row in 0..<side {
            for column in 0..<side { part[column, row] = image[x + column, y + row] }
        }
        return part
    }

    /// What of the window is to be painted.
    var windowMask: PixelMask {
        var part = PixelMask(width: side, height: side)
        for row in 0..<side {
            for column in 0..<side { part[column, row] = missing[x + column, y + row] }
        }
        return part
    }

    /// Takes over the masked pixels of an edited window.
    mutating func paste(_ result: RGBImage, where mask: PixelMask) {
        guard result.width == side, result.height == side, mask.width == side,
            mask.height == side
        else { return }
        for row in 0..<side {
            for column in 0..<side where mask[column, row] || missing[x + column, y + row] {
                image[x + column, y + row] = result[column, row]
                missing[x + column, y + row] = false
            }
        }
    }

    /// The canvas with a result in its window, as it would be after `paste`.
    func with(_ result: RGBImage?, mask: PixelMask?) -> RGBImage {
        guard let result, let mask else { return image }
        var copy = self
        copy.paste(result, where: mask)
        return copy.image
    }

    /// Whether a picture can stand in the window: a session file is no more trusted than typing.
    func fits(_ picture: RGBImage) -> Bool {
        picture.width == side && picture.height == side && x >= 0 && y >= 0
            && x + side <= image.width && y + side <= image.height
            && missing.width == image.width && missing.height == image.height
    }

    var windowRect: PixelRect { PixelRect(x: x, y: y, width: side, height: side) }
}

nonisolated extension Reducer {
    /// Takes over a result, moves the window half a side on, and masks what is not there yet.
    static func extendCanvas(_ direction: LargeCanvas.Direction, _ state: inout AppState) {
        guard let source = state.mask.source else {
            notify(
                .info, "First choose a picture: s takes the last sample, O opens a file.", &state)
            return
        }
        endStroke(&state)
        var canvas = state.mask.canvas ?? LargeCanvas(source)
        if let result = state.mask.result, let mask = state.mask.mask {
            canvas.paste(result, where: mask)
        }
        guard let moved = canvas.moved(direction) else {
            notify(
                .info, "The canvas is as large as it can be: \(LargeCanvas.limit) pixels.", &state)
            return
        }
        let name = state.mask.sourceName
        state.mask.open(moved.window, name: name, notice: nil)
        state.mask.canvas = moved
        let mask = moved.windowMask
        changeMask("Extend the canvas", &state) { $0 = mask }
        setEdit("Mode", &state) { $0.mode = .outpaint }
        notify(
            .info,
            mask.coverage > 0
                ? "The canvas is \(moved.image.width)×\(moved.image.height); Enter paints the new part."
                : "All of this part is painted already.", &state)
        markDirty(&state)
    }
}

/// As sessions keep it.
nonisolated extension LargeCanvas: Codable {
    private enum CodingKeys: String, CodingKey { case image, missing, x, y, side }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        image = try values.decode(StoredImage.self, forKey: .image).image()
        missing = try values.decode(StoredMask.self, forKey: .missing).mask()
        x = try values.decode(Int.self, forKey: .x)
        y = try values.decode(Int.self, forKey: .y)
        side = try values.decode(Int.self, forKey: .side)
        // Sums of what a file says must not overflow.
        guard (1...Self.limit).contains(side), (0...Self.limit).contains(x),
            (0...Self.limit).contains(y)
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .side, in: values, debugDescription: "the window is not on the canvas")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(StoredImage(image), forKey: .image)
        try values.encode(StoredMask(missing), forKey: .missing)
        try values.encode(x, forKey: .x)
        try values.encode(y, forKey: .y)
        try values.encode(side, forKey: .side)
    }
}
