//! What somebody buys, and what that costs.

use gaelp::core::{Micros, Rounding};

use super::dice::Dice;
use super::truth::{
    BASKET_SIGMA, CATALOGUE, CENT, CHEAPEST, DISCOUNT_PERCENT, FREE_SHIPPING, MEDIAN_BASKET,
    PRODUCTS, PROVINCES, Product, SHIPPING, TAXED,
};

/// At most so many things are bought at once.
const MOST_THINGS: u32 = 8;
/// A product still fits where it is dearer than the rest of the budget by no more than this.
const STRETCH: Micros = Micros::new(300 * CENT);

/// What somebody buys, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basket {
    /// How many of each product of the catalogue.
    quantities: [u32; PRODUCTS],
    discounted: bool,
    pub(crate) province: (&'static str, &'static str),
}

impl Basket {
    /// Fills a basket up to a lognormal amount that its buyer means to spend.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut quantities = [0; PRODUCTS];
        let mut left = MEDIAN_BASKET
            .checked_scale(dice.factor(BASKET_SIGMA), Rounding::Down)
            .unwrap_or(Micros::MAX);
        for bought in 0..MOST_THINGS {
            let affordable = |product: &Product| less(product.price, left) <= STRETCH;
            let choices = CATALOGUE.iter().filter(|p| affordable(p)).count();
            if choices == 0 || (bought > 0 && left < STRETCH) {
                break;
            }
            let drawn = dice.within(0..u32::try_from(choices).expect("a short catalogue"));
            let chosen = (0..PRODUCTS)
                .filter(|&place| affordable(&CATALOGUE[place]))
                .nth(drawn as usize)
                .expect("it was drawn among the affordable ones");
            quantities[chosen] += 1;
            left = less(left, CATALOGUE[chosen].price);
        }
        if quantities == [0; PRODUCTS] {
            // Whoever means to spend next to nothing buys the cheapest thing.
            quantities[CHEAPEST] = 1;
        }
        let province = dice.within(0..u32::try_from(PROVINCES.len()).expect("five"));
        Self {
            quantities,
            discounted: dice.happens(DISCOUNT_PERCENT),
            province: PROVINCES[province as usize],
        }
    }

    /// The products in it and how many of each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static Product, u32)> {
        CATALOGUE
            .iter()
            .zip(self.quantities)
            .filter(|&(_, quantity)| quantity > 0)
    }

    /// What the discount code takes off: a tenth, in whole cents. Zero without the code.
    pub(crate) fn discount(&self) -> Micros {
        if self.discounted {
            percent(self.goods(), 10)
        } else {
            Micros::ZERO
        }
    }

    /// The products less the discount.
    pub(crate) fn subtotal(&self) -> Micros {
        less(self.goods(), self.discount())
    }

    /// The shipping.
    pub(crate) fn shipping(&self) -> Micros {
        if self.subtotal() < FREE_SHIPPING {
            SHIPPING
        } else {
            Micros::ZERO
        }
    }

    /// The sales tax, in whole cents.
    pub(crate) fn tax(&self) -> Micros {
        if self.province == TAXED {
            percent(self.subtotal(), 8)
        } else {
            Micros::ZERO
        }
    }

    /// What is paid.
    pub(crate) fn total(&self) -> Micros {
        Micros::checked_sum([self.subtotal(), self.shipping(), self.tax()])
            .expect("eight things of the catalogue cost less than a thousand dollars")
    }

    fn goods(&self) -> Micros {
        let prices = self.lines().map(|(product, quantity)| {
            product
                .price
                .checked_mul(i64::from(quantity))
                .expect("eight things of the catalogue cost less than a thousand dollars")
        });
        Micros::checked_sum(prices)
            .expect("eight things of the catalogue cost less than a thousand dollars")
    }
}

fn less(amount: Micros, taken: Micros) -> Micros {
    amount
        .checked_sub(taken)
        .expect("neither is below zero by more than a price")
}

/// So many hundredths, rounded to a cent.
fn percent(amount: Micros, percent: i64) -> Micros {
    amount
        .checked_mul(percent)
        .and_then(|part| part.checked_div(100 * CENT, Rounding::HalfEven))
        .and_then(|cents| cents.checked_mul(CENT))
        .expect("a part of an order is in range")
}
